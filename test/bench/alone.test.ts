import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bench, runQuickly } from '../support/bench/quick.ts'

test('The benchmarks of Pawl alone run and compare their results with the targets', (t) =>
  runQuickly(t, {
    'first-sight': /each token for the first time/,
    login: /^Login \[/m,
    'login-storm': /^p99 of authenticated GETs/m,
    memory: /^Redis memory/m,
    'many-sessions': /by the number of sessions in Redis/,
    'deny-list': /by the number of revoked sessions/,
    revocation: /^Revocation at one/m,
    reconnection: /^Reconnection to Redis/m,
    'cold-start': /^Start of the embedded default/m,
  }))

test('An unknown benchmark is a usage error', async () => {
  await assert.rejects(bench('nothing'), { code: 2 })
})
