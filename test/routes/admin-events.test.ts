import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refresh, signUp } from '../support/app-requests.ts'
import { createClock } from '../support/clock.ts'
import { openSql } from '../support/database.ts'
import { environment } from '../support/environment.ts'
import { adminToken, readEvents, requestEvents, stealSession } from '../support/events/scenarios.ts'
import { build } from '../support/in-process-server.ts'
import { until } from '../support/until.ts'

test('administrators list events and filter them by type, user, session and time', async (t) => {
  const clock = createClock()
  const env = await environment(t, { GRACE: '0s' })
  const app = await build(t, env, clock)
  const sql = openSql(t, env)
  const token = await adminToken(app, sql)
  const sessionId = await stealSession(app)
  const { refreshToken } = await signUp(app)
  clock.advance(60_000)
  const from = new Date(clock()).toISOString()
  clock.advance(1)
  const next = (await refresh(app, refreshToken)).json()
  clock.advance(1)
  const to = new Date(clock()).toISOString()
  const recorded = (count: number) =>
    until(async () => (await sql`select 1 from security_events`).length === count)
  await recorded(13)
  await refresh(app, next.refreshToken)
  await recorded(14)

  const all = await readEvents(app, token)
  assert.equal(all.length, 14)
  const times = all.map(({ at }) => at)
  assert.deepEqual(times, [...times].sort().reverse())
  assert.equal(all.at(-1)?.type, 'signup')

  const [reuse, ...more] = await readEvents(app, token, { type: 'reuse_found' })
  assert.equal(more.length, 0)
  assert.equal(reuse?.sessionId, sessionId)
  assert.deepEqual([reuse?.ip, reuse?.userAgent], ['127.0.0.1', 'thief'])
  assert.deepEqual(reuse?.detail.login, { ip: '127.0.0.1', userAgent: 'login' })
  const ofSession = await readEvents(app, token, { sessionId })
  assert.deepEqual(ofSession.map(({ type }) => type).sort(), [
    'login_succeeded',
    'refresh',
    'refresh',
    'reuse_found',
    'session_ended',
  ])
  const userId = String(reuse?.userId)
  assert.deepEqual(
    await readEvents(app, token, { userId, type: 'refresh' }),
    ofSession.filter(({ type }) => type === 'refresh'),
  )
  const between = await readEvents(app, token, { from, to })
  assert.deepEqual(
    between.map(({ type, sessionId }) => [type, sessionId]),
    [['refresh', next.sessionId]],
  )
  assert.deepEqual(await readEvents(app, token, { to: '1970-01-01T00:00:00Z' }), [])
})

test('pages have no gaps and no repetitions, even while events are added', async (t) => {
  const env = await environment(t)
  const app = await build(t, env)
  const sql = openSql(t, env)
  const token = await adminToken(app, sql)
  let { refreshToken } = await signUp(app)
  // Each refresh comes from another device, because similar refreshes may share one event.
  const refreshFrom = async (agent: number) => {
    const headers = { 'user-agent': `device ${agent}` }
    const payload = { refreshToken }
    const response = await app.inject({ method: 'POST', url: '/auth/refresh', headers, payload })
    refreshToken = response.json().refreshToken
  }
  for (let count = 0; count < 20; count++) await refreshFrom(count)
  const rows = () => sql`select id from security_events where type = 'refresh' order by id desc`
  await until(async () => (await rows()).length === 20)
  const before = (await rows()).map(({ id }) => id)

  const first = (await requestEvents(app, token, { limit: '7', type: 'refresh' })).json()
  await refreshFrom(20)
  await until(async () => (await rows()).length === 21)
  const rest = await readEvents(app, token, { limit: '7', type: 'refresh', cursor: first.next })
  const seen = [...first.events, ...rest].map(({ id }: { id: string }) => id)
  assert.deepEqual(seen, before)
  // A page that is exactly full is the last one.
  const full = (await requestEvents(app, token, { limit: '21', type: 'refresh' })).json()
  assert.equal(full.events.length, 21)
  assert.equal(full.next, undefined)
})

test('only administrators may list events, and malformed filters are refused', async (t) => {
  const env = await environment(t)
  const app = await build(t, env)
  const { accessToken } = await signUp(app)
  const refused = await requestEvents(app, accessToken)
  assert.equal(refused.statusCode, 403)
  assert.equal(refused.json().code, 'AUTH_FORBIDDEN')
  assert.equal((await app.inject('/admin/events')).statusCode, 401)

  const token = await adminToken(app, openSql(t, env))
  const queries: Record<string, string>[] = [
    { type: 'unknown' },
    { userId: 'a b' },
    { sessionId: "' or true --" },
    { from: 'yesterday' },
    { to: '2026-13-01T00:00:00Z' },
    { limit: '0' },
    { limit: '201' },
    { limit: '1.5' },
    { cursor: 'x' },
    { surprise: 'yes' },
  ]
  for (const query of queries) {
    const response = await requestEvents(app, token, query)
    assert.equal(response.statusCode, 400, JSON.stringify(query))
    assert.equal(response.json().code, 'VALIDATION_FAILED')
  }
  const headers = { authorization: `Bearer ${token}` }
  const twice = await app.inject({ url: '/admin/events?type=refresh&type=signup', headers })
  assert.equal(twice.statusCode, 400)
  // A day that its month does not have is accepted, and read as JavaScript reads it.
  assert.equal(
    (await requestEvents(app, token, { from: '2026-02-31T00:00:00+01:00' })).statusCode,
    200,
  )
})
