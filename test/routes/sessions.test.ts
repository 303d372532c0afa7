import assert from 'node:assert/strict'
import { test } from 'node:test'
import { call, callEmpty, callOnce, logIn, me, refresh, signUp } from '../support/app-requests.ts'
import { createClock } from '../support/clock.ts'
import { PASSWORD } from '../support/credentials.ts'
import { openSql } from '../support/database.ts'
import { environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { inject } from '../support/retry-unavailable.ts'
import { until } from '../support/until.ts'

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'

test('a user lists their sessions, with the device of each, and the current one', async (t) => {
  const clock = createClock()
  const app = await build(t, { REFRESH_IDLE_TTL: '2h', SESSION_MAX_TTL: '10h' }, clock)
  const { email, sessionId: first, accessToken: firstToken } = await signUp(app)
  await signUp(app)
  const start = clock()
  clock.advance(60_000)
  const login = await inject(app, {
    method: 'POST',
    url: '/auth/login',
    payload: { email, password: PASSWORD },
    headers: { 'user-agent': FIREFOX },
    remoteAddress: '192.0.2.7',
  })
  const { sessionId, accessToken } = login.json()
  const response = await call(app, accessToken, 'GET', '/auth/sessions')
  assert.equal(response.statusCode, 200)
  assert.equal(response.headers['cache-control'], 'no-store')
  const iso = (ms: number) => new Date(ms).toISOString()
  const [here, there, ...others] = response.json().sessions
  assert.deepEqual(here, {
    id: sessionId,
    current: true,
    createdAt: iso(start + 60_000),
    lastSeenAt: iso(start + 60_000),
    expiresAt: iso(start + 36_060_000),
    device: 'Firefox on Linux',
    userAgent: FIREFOX,
    ip: '192.0.2.7',
  })
  assert.deepEqual(
    [there.id, there.current, there.createdAt, others.length],
    [first, false, iso(start), 0],
  )
  const [, seenFromThere] = (await call(app, firstToken, 'GET', '/auth/sessions')).json().sessions
  assert.equal(seenFromThere.current, true)
})

test('sessions that have ended, or were idle for too long, are not listed', async (t) => {
  const clock = createClock()
  const app = await build(t, { REFRESH_IDLE_TTL: '1h', ACCESS_TOKEN_TTL: '2h' }, clock)
  const { email } = await signUp(app)
  clock.advance(3_000_000)
  const ended = (await logIn(app, email)).json()
  await inject(app, {
    method: 'POST',
    url: '/auth/logout',
    payload: { refreshToken: ended.refreshToken },
  })
  const { accessToken, sessionId } = (await logIn(app, email)).json()
  clock.advance(700_000)
  const { sessions } = (await call(app, accessToken, 'GET', '/auth/sessions')).json()
  assert.deepEqual(
    sessions.map(({ id }: { id: string }) => id),
    [sessionId],
  )
})

test('a user ends one of their sessions, and learns nothing about those of others', async (t) => {
  const env = await environment(t)
  const app = await build(t, env)
  const one = await signUp(app)
  const other = (await logIn(app, one.email)).json()
  const stranger = await signUp(app)
  const end = (id: string) => callEmpty(app, one.accessToken, 'DELETE', `/auth/sessions/${id}`)

  const unknown = '0190a0a0-0000-7000-8000-000000000000'
  const refusals = await Promise.all([stranger.sessionId, unknown, 'me', "'%3B--", '%00'].map(end))
  for (const refusal of refusals) {
    assert.equal(refusal.statusCode, 404)
    assert.equal(refusal.body, refusals[0]?.body)
  }
  assert.equal((await me(app, stranger.accessToken)).statusCode, 200)
  assert.equal((await refresh(app, stranger.refreshToken)).statusCode, 200)

  assert.equal((await end(other.sessionId.toUpperCase())).statusCode, 204)
  assert.equal((await me(app, other.accessToken)).statusCode, 401)
  assert.equal((await refresh(app, other.refreshToken)).statusCode, 401)
  assert.equal((await me(app, one.accessToken)).statusCode, 200)
  assert.equal((await end(other.sessionId)).statusCode, 204)

  assert.equal((await end(one.sessionId)).statusCode, 204)
  assert.equal((await me(app, one.accessToken)).statusCode, 401)
  assert.equal((await end(one.sessionId)).statusCode, 401)
  const rows = await openSql(
    t,
    env,
  )`select id, revoked_reason from sessions where revoked_at is not null`
  assert.deepEqual(new Set(rows.map(({ id }) => id)), new Set([one.sessionId, other.sessionId]))
  assert.ok(rows.every(({ revoked_reason: reason }) => reason === 'ended_by_user'))
})

for (const [query, survives] of [
  ['?except=current', 200],
  ['', 401],
] as const) {
  test(`a user ends all of their sessions${query && ' but this one'}, and no others`, async (t) => {
    const env = await environment(t)
    const app = await build(t, env)
    const one = await signUp(app)
    const others = [(await logIn(app, one.email)).json(), (await logIn(app, one.email)).json()]
    const stranger = await signUp(app)
    const response = await callEmpty(app, one.accessToken, 'DELETE', `/auth/sessions${query}`)
    assert.equal(response.statusCode, 204)
    for (const { accessToken, refreshToken } of others) {
      assert.equal((await me(app, accessToken)).statusCode, 401)
      assert.equal((await refresh(app, refreshToken)).statusCode, 401)
    }
    assert.equal((await me(app, one.accessToken)).statusCode, survives)
    assert.equal((await refresh(app, one.refreshToken)).statusCode, survives)
    assert.equal((await me(app, stranger.accessToken)).statusCode, 200)
    // The user can log in again, and each end is on record.
    assert.equal((await logIn(app, one.email)).statusCode, 200)
    const sql = openSql(t, env)
    const ends = () =>
      sql`
        select session_id from security_events
        where type = 'session_ended' and detail->>'reason' = 'ended_by_user'`
    await until(async () => (await ends()).length === (query ? 2 : 3))
  })
}

test('a request that Postgres aborts because of a deadlock can be repeated', async (t) => {
  const env = await environment(t)
  const app = await build(t, env)
  const { email, accessToken, sessionId } = await signUp(app)
  const second = (await logIn(app, email)).json()
  const [sql, watch] = [openSql(t, env), openSql(t, env)]
  const waiting = () =>
    watch`
      select 1 from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`
  const responses: ReturnType<typeof call>[] = []
  const writeBoth = sql.begin(async (tx) => {
    await tx`update sessions set last_seen_at = last_seen_at where id = ${second.sessionId}`
    responses.push(callOnce(app, accessToken, 'DELETE', '/auth/sessions'))
    await until(async () => (await waiting()).length === 1)
    await tx`update sessions set last_seen_at = last_seen_at where id = ${sessionId}`
  })
  const [other] = await Promise.allSettled([writeBoth])
  const status = (await responses[0])?.statusCode
  assert.equal(status, other.status === 'fulfilled' ? 503 : 204)
  if (status === 503)
    assert.equal((await call(app, accessToken, 'DELETE', '/auth/sessions')).statusCode, 204)
})

test('a misspelled parameter ends no session', async (t) => {
  const app = await build(t)
  const { accessToken } = await signUp(app)
  for (const query of [
    '?except=me',
    '?except=',
    '?exempt=current',
    '?except=current&except=current',
  ])
    assert.equal(
      (await call(app, accessToken, 'DELETE', `/auth/sessions${query}`)).statusCode,
      400,
      query,
    )
  assert.equal((await app.inject({ method: 'DELETE', url: '/auth/sessions' })).statusCode, 401)
  assert.equal((await app.inject({ url: '/auth/sessions' })).statusCode, 401)
  assert.equal((await me(app, accessToken)).statusCode, 200)
})
