import assert from 'node:assert/strict'
import { test } from 'node:test'
import { me, meOnce, refresh, signUp } from '../support/app-requests.ts'
import { build } from '../support/in-process-server.ts'
import { until } from '../support/until.ts'

const HOUR = 3_600_000

test("a node whose clock is set back does not take a token that has expired by everyone else's", async (t) => {
  const app = await build(t, { ACCESS_TOKEN_TTL: '5s' })
  const { accessToken, refreshToken } = await signUp(app)
  const { now } = Date
  t.mock.method(Date, 'now', () => now() - HOUR)
  assert.equal((await me(app, accessToken)).statusCode, 200)
  await until(async () => (await me(app, accessToken)).statusCode === 401)
  const next = (await refresh(app, refreshToken)).json()
  assert.equal((await me(app, next.accessToken)).statusCode, 200)
})

test('a node whose clock is set forward refuses no token that is alive, and no session', async (t) => {
  const app = await build(t)
  const { accessToken, refreshToken } = await signUp(app)
  const { now } = Date
  t.mock.method(Date, 'now', () => now() + 1_000 * HOUR)
  // The node may have slept all the while: it does not answer until it has heard again what is revoked.
  assert.equal((await meOnce(app, accessToken)).statusCode, 503)
  await until(async () => (await meOnce(app, accessToken)).statusCode !== 503)
  assert.equal((await me(app, accessToken)).statusCode, 200)
  assert.equal((await refresh(app, refreshToken)).statusCode, 200)
})
