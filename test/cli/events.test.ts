import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import type { RecordedEvent } from '../../src/events/event.ts'
import { logIn, refresh, signUp } from '../support/app-requests.ts'
import { runCli } from '../support/cli-process.ts'
import { createClock } from '../support/clock.ts'
import { newEmail } from '../support/credentials.ts'
import { openSql } from '../support/database.ts'
import { environment } from '../support/environment.ts'
import { adminToken, readEvents, stealSession } from '../support/events/scenarios.ts'
import { build } from '../support/in-process-server.ts'
import { until } from '../support/until.ts'

const DAY = 86_400_000

/** Builds a server, and returns it with the command line on its database. */
async function setUp(t: TestContext, clock = createClock()) {
  const env = await environment(t, { GRACE: '0s' })
  const app = await build(t, env, clock)
  const sql = openSql(t, env)
  const { DATABASE_URL = '' } = env
  const pawl = (line: string) => runCli(line.split(' '), { DATABASE_URL })
  return {
    ...{ app, sql, clock, pawl },
    /** Returns the JSON of `pawl events list`. */
    list: async (line = '') => {
      const { code, stdout, stderr } = await pawl(`events list --json ${line}`.trim())
      assert.equal(code, 0, stderr)
      return JSON.parse(stdout) as { events: RecordedEvent[]; after?: string }
    },
    /** Waits until this many events are in Postgres. */
    recorded: (count: number) =>
      until(async () => (await sql`select 1 from security_events`).length === count),
  }
}

const noUser = (email: string) => `There is no user ${email}. To see the users: pawl user list\n`

const ids = (events: RecordedEvent[]) => events.map(({ id }) => id)

test('The command line filters and lists the same events as the API', async (t) => {
  const { app, sql, clock, list, recorded } = await setUp(t)
  const token = await adminToken(app, sql)
  const sessionId = await stealSession(app)
  const { email, refreshToken } = await signUp(app)
  clock.advance(60_000)
  const since = new Date(clock()).toISOString()
  clock.advance(1)
  await refresh(app, refreshToken)
  clock.advance(1)
  const before = new Date(clock()).toISOString()
  await logIn(app, email, 'not the password')
  await recorded(14)

  const all = await readEvents(app, token)
  assert.deepEqual(await list(), { events: all })
  const userId = all[0]?.userId
  const queries: [line: string, query: Record<string, string>, count: number][] = [
    [`--user ${email.toUpperCase()}`, { userId: String(userId) }, 4],
    [`--user ${userId}`, { userId: String(userId) }, 4],
    [`--session ${sessionId}`, { sessionId }, 5],
    [`--session ${sessionId.slice(0, 18)}`, { sessionId }, 5],
    ['--type reuse_found', { type: 'reuse_found' }, 1],
    [`--since ${since}`, { from: since }, 2],
    [`--since ${since} --until ${before}`, { from: since, to: before }, 1],
    [`--user ${email} --type refresh --since ${since}`, { type: 'refresh', from: since }, 1],
  ]
  await Promise.all(
    queries.map(async ([line, query, count]) => {
      const { events } = await list(line)
      assert.equal(events.length, count, line)
      assert.deepEqual(events, await readEvents(app, token, query), line)
    }),
  )
})

test('Times may be days or durations, and pages follow each other without a gap', async (t) => {
  const clock = createClock(Date.now() - 3 * DAY)
  const { app, list, recorded, clock: now } = await setUp(t, clock)
  await signUp(app)
  now.advance(2 * DAY)
  await signUp(app)
  now.advance(DAY)
  await signUp(app)
  await recorded(6)
  const { events: all } = await list()
  assert.deepEqual(ids((await list('--since 36h')).events), ids(all.slice(0, 4)))
  assert.deepEqual(ids((await list('--until 36h --since 90h')).events), ids(all.slice(4)))
  const day = String(all[4]?.at).slice(0, 10)
  const midnight = `${day}T00:00:00.000Z`
  assert.deepEqual(
    (await list(`--since ${day}`)).events,
    (await list(`--since ${midnight}`)).events,
  )
  assert.deepEqual((await list('--since 99999d')).events, all)

  const first = await list('--limit 4')
  const second = await list(`--limit 4 --after ${first.after}`)
  assert.deepEqual(ids([...first.events, ...second.events]), ids(all))
  assert.equal(second.after, undefined)
  // A page that is exactly full is the last one.
  assert.equal((await list('--limit 6')).after, undefined)
})

test('The table fits a terminal, and the events of a deleted user are found by id', async (t) => {
  const { app, sql, pawl, list, recorded } = await setUp(t)
  const email = `a-very-long-name-${newEmail()}`
  await signUp(app, email)
  await logIn(app, email, 'not the password')
  const sessionId = await stealSession(app)
  await recorded(10)
  const { stdout, stderr } = await pawl('events list --limit 9')
  const lines = stdout.trimEnd().split('\n')
  assert.match(lines[0] ?? '', /^TIME +EVENT +USER +ADDRESS$/)
  assert.equal(lines.length, 10)
  for (const line of lines) assert.ok(line.length <= 80, line)
  assert.match(stdout, /Z {2}login_failed wrong_pass\S+ +a-very-long-name-\S+… +127\.0\.0\.1\n/)
  assert.match(stdout, /Z {2}session_ended reuse +[0-9a-f-]{20,}… +127\.0\.0\.1\n/)
  assert.match(stderr, /^There are more\. For the next page, add --after [0-9a-f-]{36}\n$/)

  const [user] = await sql`select id from users where email = ${email}`
  assert.equal((await pawl(`user delete ${email} --yes`)).code, 0)
  const deleted = await pawl(`events list --user ${email}`)
  assert.deepEqual([deleted.code, deleted.stderr], [1, noUser(email)])
  const types = (await list(`--user ${user?.id}`)).events.map(({ type }) => type)
  assert.deepEqual(types, [
    'session_ended',
    'admin_action',
    'login_failed',
    'login_succeeded',
    'signup',
  ])
  const own = (await pawl(`events list --user ${user?.id}`)).stdout
  assert.match(own, /^TIME +EVENT +SESSION +ADDRESS\n.+session_ended user_deleted +[0-9a-f-]{18} /)
  // A session is found by the part of its id that `pawl session list` shows.
  assert.equal(
    (await pawl(`events list --session ${sessionId.slice(0, 18)}`)).stdout.split('\n').length,
    7,
  )
})

test('An empty result is a sentence in the table and an empty list in JSON', async (t) => {
  const { pawl, list } = await setUp(t)
  assert.equal((await pawl('events list')).stdout, 'There are no such events.\n')
  assert.deepEqual(await list(`--session ${randomUUID()}`), { events: [] })
  const unknown = await pawl('events list --session 0190a5d2-7f3b')
  assert.equal(unknown.code, 1)
  assert.match(
    unknown.stderr,
    /^No event is about a session whose id starts with 0190a5d2-7f3b\.\n$/,
  )
  const nobody = await pawl('events list --user nobody@example.com')
  assert.deepEqual([nobody.code, nobody.stderr], [1, noUser('nobody@example.com')])
})
