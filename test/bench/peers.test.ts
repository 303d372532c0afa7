import { test } from 'node:test'
import { runQuickly } from '../support/bench/quick.ts'

test('The benchmarks with other products run and compare their results with the targets', (t) =>
  runQuickly(t, {
    authenticate: /^Authenticated GET, 200 live/m,
    refresh: /^Refresh with rotation/m,
  }))
