import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { openPostgres } from '../../src/db/postgres.ts'
import type { NewEvent } from '../../src/events/event.ts'
import { createEventLog } from '../../src/events/event-log.ts'
import { createEventRecords } from '../../src/events/event-records.ts'
import type { TokenPair } from '../../src/schemas/token-pair.ts'
import { logIn, refresh, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { createClock } from '../support/clock.ts'
import { newEmail, newRetryKey } from '../support/credentials.ts'
import { openSql } from '../support/database.ts'
import { type Env, environment } from '../support/environment.ts'
import { stealSession } from '../support/events/scenarios.ts'
import { build } from '../support/in-process-server.ts'
import { inject } from '../support/retry-unavailable.ts'
import { startServer } from '../support/server-process.ts'
import { pairOf, post, signUpAt } from '../support/server-requests.ts'
import { startPostgres } from '../support/services/postgres.ts'
import { createTemplateDatabase } from '../support/services/template.ts'
import { until } from '../support/until.ts'

test('signup, login, refresh, eviction and logout are recorded', async (t) => {
  const env = await environment(t, { MAX_SESSIONS_PER_USER: '2' })
  const app = await build(t, env)
  const sql = openSql(t, env)
  const { email, sessionId: first, refreshToken } = await signUp(app)
  await refresh(app, refreshToken)
  await logIn(app, email, 'not my password')
  await logIn(app, newEmail(), 'whose password')
  const second = (await logIn(app, email)).json()
  const third = (await logIn(app, email)).json()
  const payload = { refreshToken: third.refreshToken }
  await inject(app, { method: 'POST', url: '/auth/logout', payload })
  await inject(app, { method: 'POST', url: '/auth/logout', payload })
  await sql`update users set status = 'disabled'`
  await logIn(app, email)

  const [user] = await sql`select id from users`
  const id = user?.id
  const events = () => sql`select * from security_events order by id`
  await until(async () => (await events()).length === 10)
  const rows = [...(await events())]
  const about = rows.map((row) => [row.type, row.user_id, row.session_id, row.detail])
  assert.deepEqual(about, [
    ['signup', id, null, {}],
    ['login_succeeded', id, first, {}],
    ['refresh', id, first, { outcome: 'rotated', generation: 2 }],
    ['login_failed', id, null, { reason: 'wrong_password' }],
    ['login_failed', null, null, { reason: 'unknown_account' }],
    ['login_succeeded', id, second.sessionId, {}],
    // The oldest session is evicted before the response to the login.
    ['session_ended', id, first, { reason: 'session_cap' }],
    ['login_succeeded', id, third.sessionId, {}],
    ['session_ended', id, third.sessionId, { reason: 'logout' }],
    ['login_failed', id, null, { reason: 'user_disabled' }],
  ])
  for (const { ip, user_agent: agent } of rows.filter(({ type }) => type !== 'session_ended'))
    assert.deepEqual([ip, agent], ['127.0.0.1', 'lightMyRequest'])
})

test('a theft is recorded with the devices of login, last refresh and spent token', async (t) => {
  const env = await environment(t, { GRACE: '0s' })
  const server = await startServer(t, env)
  const sql = openSql(t, env)
  const present = ({ refreshToken }: TokenPair, agent: string, headers = {}) =>
    post(server.url, '/auth/refresh', { refreshToken }, { 'user-agent': agent, ...headers })
  const refreshAsThief = async (pair: TokenPair) =>
    pairOf(await present(pair, 'thief', { 'idempotency-key': newRetryKey() }))
  const first = await signUpAt(server.url, undefined, { 'user-agent': 'at login' })
  await refreshAsThief(await refreshAsThief(first))
  // A checkpoint writes the device of the last refresh to Postgres.
  await until(
    async () => (await sql`select 1 from sessions where last_user_agent = 'thief'`).length === 1,
  )
  assert.equal((await present(first, 'victim')).status, 401)

  const events =
    await sql`select * from security_events where session_id = ${first.sessionId} order by id`
  const reuse = events.find(({ type }) => type === 'reuse_found')
  const end = events.find(({ type }) => type === 'session_ended')
  assert.deepEqual(end?.detail, { reason: 'reuse' })
  assert.deepEqual([reuse?.ip, reuse?.user_agent], ['127.0.0.1', 'victim'])
  const { at, ...lastRefresh } = reuse?.detail.lastRefresh ?? {}
  assert.ok(Date.parse(at) > Date.now() - 60_000)
  assert.deepEqual(lastRefresh, { ip: '127.0.0.1', userAgent: 'thief' })
  assert.deepEqual(reuse?.detail.login, { ip: '127.0.0.1', userAgent: 'at login' })
  const { presentedGeneration, currentGeneration } = reuse?.detail ?? {}
  assert.deepEqual([presentedGeneration, currentGeneration], [1, 3])
})

test('with EVENTS_REFRESH=off an expired session is recorded, and no refresh is', async (t) => {
  const clock = createClock()
  const env = await environment(t, { EVENTS_REFRESH: 'off', REFRESH_IDLE_TTL: '1h' })
  const app = await build(t, env, clock)
  const sql = openSql(t, env)
  const { refreshToken, sessionId } = await signUp(app)
  const next = (await refresh(app, refreshToken)).json()
  clock.advance(3_600_001)
  assert.equal((await refresh(app, next.refreshToken)).statusCode, 401)
  // Closing writes the events that wait.
  await app.close()
  const events = await sql`select type, session_id, detail from security_events order by id`
  assert.deepEqual(
    events.map(({ type }) => type),
    ['signup', 'login_succeeded', 'session_ended'],
  )
  assert.deepEqual(events[2]?.detail, { reason: 'expired' })
  assert.equal(events[2]?.session_id, sessionId)
})

test('one theft is one event, however often the spent token is presented', async (t) => {
  const env = await environment(t, { GRACE: '0s' })
  const [one, other] = [await build(t, env), await build(t, env)]
  const sql = openSql(t, env)
  const first = await signUp(one)
  const second = (await refresh(one, first.refreshToken)).json()
  await refresh(one, second.refreshToken)
  const responses = await Promise.all(
    Array.from({ length: 20 }, (_, index) => refresh(index % 2 ? one : other, first.refreshToken)),
  )
  for (const { statusCode } of responses) assert.equal(statusCode, 401)
  const rows = await sql`select type from security_events where type = 'reuse_found'`
  assert.equal(rows.length, 1)
})

async function ownPostgres(t: Parameters<typeof environment>[0], overrides: Env = {}) {
  const postgres = await startPostgres()
  cleanUp(t, () => postgres.stop())
  const database = await createTemplateDatabase(postgres.url)
  return { postgres, env: await environment(t, { DATABASE_URL: database.url, ...overrides }) }
}

test('while Postgres hangs or is down, refreshes succeed and are recorded later', async (t) => {
  const { postgres, env } = await ownPostgres(t)
  const app = await build(t, env)
  let { refreshToken } = await signUp(app)
  let generation = 1
  for (const fault of ['hangs', 'is down']) {
    if (fault === 'hangs') postgres.kill('SIGSTOP')
    else await postgres.crash('SIGKILL')
    for (let count = 0; count < 20; count++) {
      const response = await refresh(app, refreshToken)
      assert.equal(response.statusCode, 200)
      refreshToken = response.json().refreshToken
      generation++
    }
    if (fault === 'hangs') postgres.kill('SIGCONT')
  }
  await postgres.restart()
  const sql = openSql(t, env)
  const seen = async () =>
    (await sql`select detail from security_events where type = 'refresh' order by id`).map(
      ({ detail }) => detail,
    )
  await until(async () => (await seen()).at(-1)?.generation === generation)
  // Each refresh counts once and in order, although a statement without a response is sent again.
  let counted = 1
  for (const { generation: last, times = 1 } of await seen()) {
    counted += times
    assert.equal(last, counted)
  }
  assert.equal(counted, generation)
})

test('while Postgres hangs, events wait up to a limit, and each loss is counted', async (t) => {
  const { postgres, env } = await ownPostgres(t)
  const database = await openPostgres(env.DATABASE_URL ?? '')
  cleanUp(t, () => database.close())
  const dropped: string[] = []
  const logged: object[] = []
  const log = createEventLog({
    records: createEventRecords(database),
    eventsRefresh: true,
    onDropped: (type) => dropped.push(type),
    clock: createClock(),
    log: { debug() {}, info() {}, warn: (facts) => logged.push(facts) },
    maxWaiting: 100,
  })
  const refreshed = (): NewEvent => {
    return {
      type: 'refresh',
      sessionId: randomUUID(),
      detail: { outcome: 'rotated', generation: 2 },
    }
  }
  const failed: NewEvent = { type: 'login_failed', detail: { reason: 'unknown_account' } }
  postgres.kill('SIGSTOP')
  const firstTry = log.flush()
  for (let count = 0; count < 1_000; count++) log.record(refreshed())
  for (let count = 0; count < 30; count++) log.record(failed)
  log.record({ type: 'password_changed', detail: {} })
  for (let count = 0; count < 1_000; count++) log.record(refreshed())
  assert.equal(log.waiting(), 100)
  assert.deepEqual(dropped, Array(1_931).fill('refresh'))
  await firstTry
  await log.flush()
  assert.ok(
    logged.some((facts) => 'events' in facts && facts.events === 1_931),
    JSON.stringify(logged),
  )

  postgres.kill('SIGCONT')
  await until(async () => {
    await log.flush()
    return log.waiting() === 0
  })
  const rows = await openSql(
    t,
    env,
  )`select type, count(*)::int from security_events group by type order by 1`
  assert.deepEqual(
    [...rows],
    [
      { type: 'login_failed', count: 30 },
      { type: 'password_changed', count: 1 },
      { type: 'refresh', count: 69 },
    ],
  )
})

test('a user agent is stored as short plain text without tokens', async (t) => {
  const env = await environment(t, { GRACE: '0s' })
  const app = await build(t, env)
  const token = (await signUp(app)).accessToken
  const odd = `Mozilla/5.0 \x80\x9f ${token} ${'x '.repeat(2_000)}`
  const sessionId = await stealSession(app, [odd, odd, odd])
  await app.close()
  const rows = await openSql(t, env)`
    select user_agent from security_events
    where session_id = ${sessionId} and user_agent is not null`
  assert.ok(rows.length >= 4)
  for (const { user_agent: agent } of rows) {
    assert.equal(agent.length, 512)
    assert.ok(agent.startsWith('Mozilla/5.0 ?? - x x'), agent)
  }
})
