import assert from 'node:assert/strict'
import { test } from 'node:test'
import { me, meOnce, refresh, signUp } from '../support/app-requests.ts'
import { build } from '../support/in-process-server.ts'
import { until } from '../support/until.ts'

const HOUR = 3_600_000

test('A node whose clock is set back refuses what has expired by the shared time', async (t) => {
  const app = await build(t, { ACCESS_TOKEN_TTL: '5s' })
  const { accessToken, refreshToken } = await signUp(app)
  const { now } = Date
  t.mock.method(Date, 'now', () => now() - HOUR)
  assert.equal((await me(app, accessToken)).statusCode, 200)
  await until(async () => (await me(app, accessToken)).statusCode === 401)
  const next = (await refresh(app, refreshToken)).json()
  assert.equal((await me(app, next.accessToken)).statusCode, 200)
})

test('A node whose clock is set forward accepts live tokens and live sessions', async (t) => {
  const app = await build(t)
  const { accessToken, refreshToken } = await signUp(app)
  const { now } = Date
  t.mock.method(Date, 'now', () => now() + 1_000 * HOUR)
  // The node may have been stopped for as long as that, so it responds with 503 until it has read
  // the revocations again.
  assert.equal((await meOnce(app, accessToken)).statusCode, 503)
  await until(async () => (await meOnce(app, accessToken)).statusCode !== 503)
  assert.equal((await me(app, accessToken)).statusCode, 200)
  assert.equal((await refresh(app, refreshToken)).statusCode, 200)
})
