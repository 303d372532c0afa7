import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { TokenPair } from '../../src/schemas/token-pair.ts'
import { call, me, meOnce, refresh, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { createClock } from '../support/clock.ts'
import { newRetryKey } from '../support/credentials.ts'
import { openSql } from '../support/database.ts'
import { environment } from '../support/environment.ts'
import { adminToken } from '../support/events/scenarios.ts'
import { build } from '../support/in-process-server.ts'
import { logOut } from '../support/nodes.ts'
import { startRedis } from '../support/services/redis.ts'
import { until } from '../support/until.ts'

/** The leeway is for access tokens that were issued in the future. */
const [HOUR, GRACE, LEEWAY] = [3_600_000, 30_000, 60_000]

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

/** Starts a server whose shared clock is an hour ahead, until the test sets it back. */
async function setUp(t: TestContext, overrides = {}) {
  const clock = createClock()
  const app = await build(t, { ACCESS_TOKEN_TTL: '15m', ...overrides }, clock)
  clock.advance(HOUR)
  return { app, clock }
}

test('After the shared clock was set back, a spent token is theft after the grace', async (t) => {
  const { app, clock } = await setUp(t)
  const { refreshToken } = await signUp(app)
  const next = (await refresh(app, refreshToken)).json()
  clock.advance(-HOUR)
  for (const ms of [0, GRACE]) {
    clock.advance(ms)
    assert.equal((await refresh(app, refreshToken)).json().refreshToken, next.refreshToken)
  }
  clock.advance(1)
  assert.equal((await refresh(app, refreshToken)).statusCode, 401)
  assert.equal((await refresh(app, next.refreshToken)).statusCode, 401)
})

test('A spent token does not become fresh when the clock reaches its time again', async (t) => {
  const { app, clock } = await setUp(t)
  const { refreshToken } = await signUp(app)
  const next = (await refresh(app, refreshToken)).json()
  clock.advance(-HOUR)
  // With any request the node notices that the clock was set back.
  const other = await signUp(app)
  clock.advance(HOUR)
  assert.equal((await refresh(app, other.refreshToken)).statusCode, 200)
  assert.equal((await refresh(app, refreshToken)).statusCode, 401)
  assert.equal((await refresh(app, next.refreshToken)).statusCode, 401)
})

test('After the shared clock was set back, honest clients stay logged in', async (t) => {
  const { app, clock } = await setUp(t)
  const first = await signUp(app)
  const key = newRetryKey()
  const second = (await refresh(app, first.refreshToken, key)).json()
  clock.advance(-HOUR)
  clock.advance(GRACE + 1)
  // The response was lost, and the retry comes late.
  const retried = (await refresh(app, first.refreshToken, key)).json()
  assert.equal(retried.refreshToken, second.refreshToken)
  assert.equal((await me(app, retried.accessToken)).statusCode, 200)
  const tabs = await Promise.all([1, 2].map(() => refresh(app, second.refreshToken)))
  const successors = new Set(tabs.map((response) => response.json().refreshToken))
  assert.equal(successors.size, 1)
  const third = (await refresh(app, [...successors][0])).json()
  clock.advance(HOUR + 1)
  assert.equal((await refresh(app, third.refreshToken)).statusCode, 200)
})

test('An access token from the future is refused, revoked or not, until it is refreshed', async (t) => {
  const { app, clock } = await setUp(t)
  const [live, revoked] = [await signUp(app), await signUp(app)]
  clock.advance(-LEEWAY)
  assert.equal((await me(app, live.accessToken)).statusCode, 200)
  clock.advance(-1_000)
  assert.equal((await me(app, live.accessToken)).statusCode, 401)
  clock.advance(LEEWAY + 1_000 - HOUR)
  const { accessToken } = (await refresh(app, live.refreshToken)).json()
  assert.equal((await me(app, accessToken)).statusCode, 200)

  assert.equal(await logOut(app, revoked.refreshToken), 204)
  // These times are before, during and after the life that the token states.
  for (const minutes of [17, 30, 12, 1, 1, 13, 2]) {
    clock.advance(minutes * 60_000)
    // Entries that have expired are removed when another one is added.
    assert.equal(await logOut(app, (await signUp(app)).refreshToken), 204)
    assert.equal((await me(app, revoked.accessToken)).statusCode, 401)
  }
})

test('Revoking everything after the shared clock was set back revokes no later login', async (t) => {
  const redis = await startRedis()
  cleanUp(t, redis.stop)
  const env = await environment(t, { REDIS_URL: redis.url })
  const { app, clock } = await setUp(t, env)
  const ahead = await signUp(app)
  clock.advance(-HOUR)
  const token = await adminToken(app, openSql(t, env))
  const before = await signUp(app)
  // The token of a session that started in the future, but this token did not.
  const refreshed = (await refresh(app, ahead.refreshToken)).json()
  assert.equal((await call(app, token, 'POST', '/admin/revoke-all')).statusCode, 202)
  clock.advance(200)
  let after: TokenPair = await signUp(app)
  for (const ms of [0, 2 * HOUR]) {
    clock.advance(ms)
    for (const revoked of [before, refreshed]) {
      assert.equal((await me(app, revoked.accessToken)).statusCode, 401)
      assert.equal((await refresh(app, revoked.refreshToken)).statusCode, 401)
    }
    after = (await refresh(app, after.refreshToken)).json()
    assert.equal((await me(app, after.accessToken)).statusCode, 200)
  }
})

test('A clock that is ahead for a while makes no node forget a revocation', async (t) => {
  const clock = createClock()
  const app = await build(t, { ACCESS_TOKEN_TTL: '15m' }, clock)
  const { accessToken, refreshToken } = await signUp(app)
  assert.equal(await logOut(app, refreshToken), 204)
  clock.advance(HOUR)
  // Entries that have expired are removed when another one is added.
  const other = await signUp(app)
  assert.equal(await logOut(app, other.refreshToken), 204)
  clock.advance(-HOUR)
  assert.equal((await me(app, accessToken)).statusCode, 401)
})
