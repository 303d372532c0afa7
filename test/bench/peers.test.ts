import { test } from 'node:test'
import { runQuickly } from '../support/bench/quick.ts'

test('the benchmarks in which others take part run, and judge what they measure', (t) =>
  runQuickly(t, {
    authenticate: /^Authenticated GET, 200 live/m,
    refresh: /^Refresh with rotation/m,
  }))
