import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectRedis, disconnectRedis } from '../../src/redis/connect.ts'
import { logIn, me, refresh, signUp } from '../support/app-requests.ts'
import { createClock } from '../support/clock.ts'
import { newRetryKey } from '../support/credentials.ts'
import { openSql } from '../support/database.ts'
import { environment, required } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { inject } from '../support/retry-unavailable.ts'

async function hotFields(userId: string): Promise<number> {
  const redis = await connectRedis(required('TEST_REDIS_URL'), () => {})
  try {
    return await redis.hlen(`pawl:{${userId}}`)
  } finally {
    await disconnectRedis(redis)
  }
}

const GRACE = 30_000
const DAY = 86_400_000

test('a refresh returns the successor and a new access token of the same session', async (t) => {
  const app = await build(t)
  const first = await signUp(app)

  const response = await refresh(app, first.refreshToken)
  assert.equal(response.statusCode, 200)
  assert.equal(response.headers['cache-control'], 'no-store')
  const second = response.json()
  assert.notEqual(second.refreshToken, first.refreshToken)
  assert.notEqual(second.accessToken, first.accessToken)
  assert.equal(second.sessionId, first.sessionId)
  assert.equal((await me(app, second.accessToken)).statusCode, 200)
  assert.equal((await me(app, first.accessToken)).statusCode, 200)
})

test('two tabs with one token get the same successor, and no user is logged out', async (t) => {
  const clock = createClock()
  const app = await build(t, {}, clock)
  const { refreshToken } = await signUp(app)

  const one = (await refresh(app, refreshToken)).json()
  clock.advance(GRACE)
  const other = (await refresh(app, refreshToken)).json()
  assert.equal(other.refreshToken, one.refreshToken)
  assert.equal(other.refreshExpiresIn, one.refreshExpiresIn - GRACE / 1000)
  assert.equal((await refresh(app, other.refreshToken)).statusCode, 200)
})

test('the retry key repairs a lost response, however late', async (t) => {
  const clock = createClock()
  const app = await build(t, {}, clock)
  const { refreshToken } = await signUp(app)
  const key = newRetryKey()

  const lost = (await refresh(app, refreshToken, key)).json()
  clock.advance(6 * DAY)
  const repaired = await refresh(app, refreshToken, key)
  assert.equal(repaired.statusCode, 200)
  assert.equal(repaired.json().refreshToken, lost.refreshToken)
  assert.equal((await refresh(app, lost.refreshToken, newRetryKey())).statusCode, 200)
})

test('an expired token can still repair a lost response and still reveals theft', async (t) => {
  const clock = createClock(Date.now() - 10 * DAY)
  const app = await build(t, {}, clock)
  const [honest, stolen] = [await signUp(app), await signUp(app)]
  clock.advance(7 * DAY - 2_000)
  const key = newRetryKey()
  const lost = (await refresh(app, honest.refreshToken, key)).json()
  const thief = (await refresh(app, stolen.refreshToken)).json()
  // The presented tokens have expired by now, and the sessions have not.
  clock.advance(3_000)
  const otherTab = await refresh(app, honest.refreshToken)
  assert.equal(otherTab.json().refreshToken, lost.refreshToken)
  clock.advance(DAY)
  assert.equal(
    (await refresh(app, honest.refreshToken, key)).json().refreshToken,
    lost.refreshToken,
  )
  assert.equal((await refresh(app, stolen.refreshToken)).statusCode, 401)
  assert.equal((await refresh(app, thief.refreshToken)).statusCode, 401)
})

test('a spent token after the grace period ends the session and all of its tokens', async (t) => {
  const clock = createClock()
  const env = await environment(t)
  const app = await build(t, env, clock)
  const sql = openSql(t, env)
  const stolen = await signUp(app)
  const bystander = (await logIn(app, stolen.email)).json()

  const second = (await refresh(app, stolen.refreshToken)).json()
  const third = (await refresh(app, second.refreshToken)).json()
  clock.advance(GRACE + 1)
  const theft = await refresh(app, second.refreshToken)
  assert.equal(theft.statusCode, 401)
  assert.equal(theft.json().code, 'AUTH_INVALID_REFRESH_TOKEN')
  assert.equal(theft.headers['www-authenticate'], 'Bearer error="invalid_token"')

  assert.equal((await refresh(app, third.refreshToken)).statusCode, 401)
  for (const { accessToken } of [stolen, second, third]) {
    const response = await me(app, accessToken)
    assert.equal(response.statusCode, 401)
    assert.equal(response.json().code, 'AUTH_INVALID_TOKEN')
  }
  const still = await me(app, bystander.accessToken)
  assert.equal(still.statusCode, 200)
  // The ended session has left the hot state. The user and the other session are still there.
  assert.equal(await hotFields(still.json().id), 2)

  const [session] =
    await sql`select revoked_at, revoked_reason from sessions where id = ${stolen.sessionId}`
  assert.equal(session?.revoked_reason, 'reuse')
  const events =
    await sql`select session_id, detail from security_events where type = 'reuse_found'`
  assert.deepEqual(
    events.map(({ session_id }) => session_id),
    [stolen.sessionId],
  )
  assert.equal(events[0]?.detail.presentedGeneration, 2)
  assert.equal(events[0]?.detail.currentGeneration, 3)
})

test('a retry key of another attempt does not help', async (t) => {
  const clock = createClock()
  const app = await build(t, {}, clock)
  const { refreshToken } = await signUp(app)
  await refresh(app, refreshToken, newRetryKey())
  clock.advance(GRACE + 1)
  assert.equal((await refresh(app, refreshToken, newRetryKey())).statusCode, 401)
})

test('a session ends when idle for too long, and at its absolute end in any case', async (t) => {
  const clock = createClock()
  const app = await build(t, {}, clock)
  const idle = await signUp(app)
  const busy = await signUp(app)

  let { refreshToken } = busy
  for (let day = 0; day < 30; day++) {
    const response = await refresh(app, refreshToken)
    assert.equal(response.statusCode, 200)
    refreshToken = response.json().refreshToken
    clock.advance(DAY)
  }
  assert.equal((await refresh(app, refreshToken)).statusCode, 401)
  assert.equal((await refresh(app, idle.refreshToken)).statusCode, 401)
})

test('no access token outlives its session', async (t) => {
  const clock = createClock()
  const app = await build(t, { SESSION_MAX_TTL: '20m' }, clock)
  const { refreshToken } = await signUp(app)
  clock.advance(600_000)
  const { expiresIn, refreshExpiresIn } = (await refresh(app, refreshToken)).json()
  assert.ok(Math.abs(expiresIn - 600) <= 1 && Math.abs(refreshExpiresIn - 600) <= 1)
})

test('every refused refresh token gets the same response, whatever the reason', async (t) => {
  const clock = createClock()
  const app = await build(t, {}, clock)
  const [expired, reused, closed] = [await signUp(app), await signUp(app), await signUp(app)]
  await inject(app, {
    method: 'POST',
    url: '/auth/logout',
    payload: { refreshToken: closed.refreshToken },
  })
  await refresh(app, (await refresh(app, reused.refreshToken)).json().refreshToken)
  const responses = [
    await refresh(app, reused.refreshToken),
    await refresh(app, closed.refreshToken),
    await refresh(app, `${closed.refreshToken}x`),
    await refresh(app, closed.accessToken),
  ]
  clock.advance(7 * DAY)
  responses.push(await refresh(app, expired.refreshToken))
  for (const { statusCode, body } of responses) {
    assert.equal(statusCode, 401)
    assert.equal(body, responses[0]?.body)
  }
})

test('a login fails if it cannot end the session that it displaces', async (t) => {
  const env = await environment(t, { MAX_SESSIONS_PER_USER: '1' })
  const app = await build(t, env)
  const sql = openSql(t, env)
  const first = await signUp(app)
  await sql`
    alter table sessions
    add constraint broken check (revoked_reason is distinct from 'session_cap')`
  assert.equal((await logIn(app, first.email)).statusCode, 500)
  await sql`alter table sessions drop constraint broken`

  const next = await refresh(app, first.refreshToken)
  assert.equal(next.statusCode, 200)
  const ended = await sql`select revoked_reason from sessions where revoked_at is not null`
  assert.deepEqual([...ended], [{ revoked_reason: 'undelivered' }])
  assert.equal((await logIn(app, first.email)).statusCode, 200)
  assert.equal((await refresh(app, next.json().refreshToken)).statusCode, 401)
})

test('a login beyond the limit of sessions ends the least recently used session', async (t) => {
  const clock = createClock()
  const env = await environment(t, { MAX_SESSIONS_PER_USER: '2' })
  const app = await build(t, env, clock)
  const first = await signUp(app)
  clock.advance(1_000)
  const second = (await logIn(app, first.email)).json()
  clock.advance(1_000)
  const renewed = (await refresh(app, first.refreshToken)).json()
  clock.advance(1_000)
  const third = (await logIn(app, first.email)).json()

  assert.equal((await me(app, second.accessToken)).statusCode, 401)
  assert.equal((await refresh(app, second.refreshToken)).statusCode, 401)
  for (const { accessToken } of [renewed, third])
    assert.equal((await me(app, accessToken)).statusCode, 200)
  const sql = openSql(t, env)
  const ended = await sql`select id, revoked_reason from sessions where revoked_at is not null`
  assert.deepEqual([...ended], [{ id: second.sessionId, revoked_reason: 'session_cap' }])
})
