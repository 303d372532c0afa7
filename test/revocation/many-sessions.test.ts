import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import { call, logIn, me, refresh, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { openSql } from '../support/database.ts'
import { type Env, environment } from '../support/environment.ts'
import { adminToken } from '../support/events/scenarios.ts'
import { build } from '../support/in-process-server.ts'
import { startNode, status } from '../support/nodes.ts'
import { startRedis } from '../support/services/redis.ts'
import { until } from '../support/until.ts'

/** A node falls behind on a machine that is busy with other tests. */
const PATIENT = { REVOCATION_MAX_STALENESS: '1m' }

/** Starts a Redis and a database with `count` users, who have a session each. */
async function populate(t: TestContext, count: number) {
  const redis = await startRedis()
  cleanUp(t, redis.stop)
  const operator = new Redis(redis.url)
  cleanUp(t, async () => operator.disconnect())
  const env = await environment(t, { ...PATIENT, REDIS_URL: redis.url })
  const sql = openSql(t, env)
  await sql`
    insert into users (id, email, password_hash)
    select gen_random_uuid(), 'user' || lpad(n::text, 6, '0') || '@example.com', 'none'
    from generate_series(1, ${count}::int) as n`
  // The ids begin with the time, as those of sessions do (UUIDv7).
  await sql`
    insert into sessions (id, user_id, created_at, expires_at, last_seen_at)
    select (lpad(to_hex((extract(epoch from now()) * 1000)::bigint), 12, '0') || '7' ||
      substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15))::uuid,
      id, now() - interval '1 hour', now() + interval '1 day', now()
    from users`
  await sql`vacuum analyze`
  await operator.eval(
    `for n = 1, ${count} do redis.call('HSET', 'pawl:{' .. n .. '}', 'u', '1') end`,
    0,
  )

  const app = await build(t, env)
  const token = await adminToken(app, sql)
  await app.close()
  return { env, operator, token }
}

/** Waits until all servers have disconnected: only then are the statistics complete. */
async function openSqlAlone(t: TestContext, env: Env) {
  const sql = openSql(t, env)
  const others = () =>
    sql`
      select 1 from pg_stat_activity
      where datname = current_database() and application_name = 'pawl'`
  await until(async () => (await others()).length === 0)
  return sql
}

/** Returns how many rows of users and sessions were read and written so far. */
async function rowsOf(t: TestContext, env: Env): Promise<{ read: number; written: number }> {
  const sql = await openSqlAlone(t, env)
  const [row] = await sql`
    select sum(seq_tup_read + idx_tup_fetch)::int as read,
      sum(n_tup_ins + n_tup_upd + n_tup_del)::int as written
    from pg_stat_user_tables where relname in ('users', 'sessions')`
  return { read: row?.read, written: row?.written }
}

/** Returns how many rows a new server reads and writes from its start to its end. */
async function rowsTouched(
  t: TestContext,
  env: Env,
  work: (app: FastifyInstance) => Promise<void>,
) {
  const before = await rowsOf(t, env)
  const app = await build(t, env)
  await work(app)
  await app.close()
  const after = await rowsOf(t, env)
  return { read: after.read - before.read, written: after.written - before.written }
}

/** The commands by which every node reads the feed, whatever the requests. */
const FEED_COMMANDS = ['xread', 'xrevrange', 'getex', 'time']

async function commandsOf(operator: Redis): Promise<Map<string, number>> {
  const info = await operator.info('commandstats')
  const counted = [...info.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)]
  return new Map(counted.map(([, name = '', calls]) => [name, Number(calls)]))
}

test('Revoking everything touches no rows, whether of 1,000 users or of 100,000', async (t) => {
  for (const count of [1_000, 100_000]) {
    const { env, operator, token } = await populate(t, count)
    const touched = await rowsTouched(t, env, async (app) => {
      const { accessToken, refreshToken } = await signUp(app)
      const before = await commandsOf(operator)
      assert.equal((await call(app, token, 'POST', '/admin/revoke-all')).statusCode, 202)
      const after = await commandsOf(operator)
      const calls = [...after]
        .map(([name, calls]): [string, number] => [name, calls - (before.get(name) ?? 0)])
        .filter(([name, calls]) => calls > 0 && !FEED_COMMANDS.includes(name))
      const total = calls.reduce((sum, [, calls]) => sum + calls, 0)
      assert.ok(total < 12, `Redis received ${JSON.stringify(calls)}`)
      for (const old of [token, accessToken]) assert.equal((await me(app, old)).statusCode, 401)
      assert.equal((await refresh(app, refreshToken)).statusCode, 401)
    })
    // These are the account and the session of the sign-up.
    assert.equal(touched.written, 2)
    assert.ok(touched.read < 100, `${touched.read} rows were read of ${count}`)
    assert.ok((await operator.dbsize()) > count)
  }
})

test('A search by e-mail prefix reads only the rows of its page, by the index', async (t) => {
  const { env, token } = await populate(t, 20_000)
  // So many that a prepared statement would have changed to a plan that fits every prefix.
  const rounds = 10
  const { read } = await rowsTouched(t, env, async (app) => {
    for (let round = 0; round < rounds; round++) {
      const first = await call(app, token, 'GET', '/admin/users?email=user01&limit=20')
      assert.equal(first.json().users[19].email, 'user010019@example.com')
      const second = await call(
        app,
        token,
        'GET',
        `/admin/users?limit=20&cursor=${first.json().next}`,
      )
      assert.equal(second.json().users[0].email, 'user010020@example.com')
    }
  })
  assert.ok(read < rounds * 2 * 21 + 100, `${read} rows were read`)
  const sql = await openSqlAlone(t, env)
  const [index] = await sql`
      select idx_scan::int as scans from pg_stat_user_indexes
      where indexrelname = 'users_email_prefix'`
  // The planner also looks at both ends of the index, so there are more scans than queries.
  assert.ok(index?.scans >= rounds * 2, `the index was used ${index?.scans} times`)
})

test('One request ends 1,000 sessions of a user at every node', async (t) => {
  const env = await environment(t, { ...PATIENT, MAX_SESSIONS_PER_USER: '1000' })
  const [one, two] = [await build(t, env), await startNode(t, env)]
  const sql = openSql(t, env)
  const token = await adminToken(one, sql)
  const { email, ...first } = await signUp(one)
  const pairs = [first]
  while (pairs.length < 1_000) {
    const logins = Array.from({ length: Math.min(20, 1_000 - pairs.length) }, () =>
      logIn(one, email),
    )
    for (const login of await Promise.all(logins)) pairs.push(login.json())
  }
  const { id } = (await me(one, first.accessToken)).json()
  const url = `/admin/users/${id}/sessions`
  assert.equal((await call(one, token, 'GET', url)).json().sessions.length, 1_000)
  for (const { accessToken } of pairs) {
    // Without a pause, the node could not read the feed and would respond with 503.
    await setImmediate()
    assert.equal(await status(two, accessToken), 200)
  }

  assert.equal((await call(one, token, 'DELETE', url)).statusCode, 204)
  await until(async () => (await status(two, first.accessToken)) === 401)
  for (const { accessToken } of pairs) {
    await setImmediate()
    assert.equal(await status(two, accessToken), 401)
  }
  for (let start = 0; start < pairs.length; start += 20) {
    const responses = pairs
      .slice(start, start + 20)
      .map(({ refreshToken }) => refresh(two, refreshToken))
    for (const { statusCode } of await Promise.all(responses)) assert.equal(statusCode, 401)
  }
  assert.deepEqual((await call(one, token, 'GET', url)).json().sessions, [])
  const endEvents = () =>
    sql`select 1 from security_events where type = 'session_ended' and user_id = ${id}`
  await until(async () => (await endEvents()).length === 1_000)
})
