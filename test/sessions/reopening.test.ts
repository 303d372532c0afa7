import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { logIn, me, refresh, refreshOnce, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { createClock } from '../support/clock.ts'
import { newRetryKey } from '../support/credentials.ts'
import { openSql } from '../support/database.ts'
import { environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { inject } from '../support/retry-unavailable.ts'
import { startPostgres } from '../support/services/postgres.ts'
import { startRedis } from '../support/services/redis.ts'
import { createTemplateDatabase } from '../support/services/template.ts'
import { until } from '../support/until.ts'

const GRACE = 30_000

/** Starts a server on a private Redis that can lose everything. */
async function setUp(t: TestContext, overrides = {}) {
  const redis = await startRedis()
  cleanUp(t, () => redis.stop())
  const env = await environment(t, { REDIS_URL: redis.url, ...overrides })
  const clock = createClock()
  const app = await build(t, env, clock)
  const loseRedis = async () => {
    await redis.restart()
    await until(async () => (await app.inject('/health/ready')).statusCode === 200)
  }
  return { app, env, clock, redis, loseRedis }
}

const logOut = (app: Awaited<ReturnType<typeof build>>, refreshToken: string) =>
  inject(app, { method: 'POST', url: '/auth/logout', payload: { refreshToken } })

test('A Redis that loses everything logs no user out', async (t) => {
  const { app, loseRedis } = await setUp(t)
  const first = await signUp(app)
  const second = (await refresh(app, first.refreshToken)).json()
  await loseRedis()
  const third = await refresh(app, second.refreshToken)
  assert.equal(third.statusCode, 200)
  assert.equal((await refresh(app, third.json().refreshToken)).statusCode, 200)
  assert.equal((await me(app, third.json().accessToken)).statusCode, 200)
})

test('Tabs that refresh at once after the loss get one successor', async (t) => {
  const { app, loseRedis } = await setUp(t)
  const { refreshToken } = await signUp(app)
  await loseRedis()
  const responses = await Promise.all(Array.from({ length: 20 }, () => refresh(app, refreshToken)))
  assert.deepEqual([...new Set(responses.map(({ statusCode }) => statusCode))], [200])
  assert.equal(new Set(responses.map((response) => response.json().refreshToken)).size, 1)
})

test('A refresh that re-opens a session and a change of its user do not deadlock', async (t) => {
  const { app, env, loseRedis } = await setUp(t)
  const { email, refreshToken, sessionId } = await signUp(app)
  await loseRedis()
  const [sql, watch] = [openSql(t, env), openSql(t, env)]
  const waiting = () =>
    watch`
      select 1 from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`
  const responses: ReturnType<typeof refresh>[] = []
  // The statements lock what a change of a user locks, in the same order.
  await sql.begin(async (tx) => {
    await tx`update users set ver = ver + 1 where email = ${email}`
    responses.push(refresh(app, refreshToken))
    await until(async () => (await waiting()).length === 1)
    await tx`update sessions set last_seen_at = last_seen_at where id = ${sessionId}`
  })
  assert.equal((await responses[0])?.statusCode, 200)
})

test('A session that was revoked stays revoked, whatever Redis loses', async (t) => {
  const { app, clock, loseRedis } = await setUp(t, { MAX_SESSIONS_PER_USER: '2' })
  const loggedOut = await signUp(app)
  await logOut(app, loggedOut.refreshToken)
  const stolen = await signUp(app)
  const newest = (await refresh(app, stolen.refreshToken)).json()
  clock.advance(GRACE + 1)
  assert.equal((await refresh(app, stolen.refreshToken)).statusCode, 401)
  const evicted = await signUp(app)
  clock.advance(1)
  await logIn(app, evicted.email)
  clock.advance(1)
  await logIn(app, evicted.email)

  await loseRedis()
  for (const { refreshToken, accessToken } of [loggedOut, stolen, newest, evicted]) {
    assert.equal((await refresh(app, refreshToken)).statusCode, 401)
    assert.equal((await me(app, accessToken)).statusCode, 401)
  }
})

test('A user has no more sessions than the limit, however often Redis loses them', async (t) => {
  const { app, clock, loseRedis } = await setUp(t, { MAX_SESSIONS_PER_USER: '3' })
  const sessions = [await signUp(app)]
  const email = sessions[0]?.email ?? ''
  for (let i = 0; i < 5; i++) {
    await loseRedis()
    clock.advance(1_000)
    sessions.push((await logIn(app, email)).json())
  }
  const statuses = []
  for (const { accessToken } of sessions) statuses.push((await me(app, accessToken)).statusCode)
  assert.deepEqual(statuses, [401, 401, 401, 200, 200, 200])
  await loseRedis()
  for (const { refreshToken } of sessions)
    statuses.push((await refresh(app, refreshToken)).statusCode)
  assert.deepEqual(statuses.slice(6), statuses.slice(0, 6))
})

test('A re-opened session displaces the least recently used beyond a lowered limit', async (t) => {
  const { app, env, clock, redis } = await setUp(t)
  const first = await signUp(app)
  clock.advance(1_000)
  const second = (await logIn(app, first.email)).json()
  clock.advance(1_000)
  const third = (await logIn(app, first.email)).json()
  await app.close()

  await redis.restart()
  const next = await build(t, { ...env, MAX_SESSIONS_PER_USER: '2' }, clock)
  assert.equal((await refresh(next, first.refreshToken)).statusCode, 200)
  assert.equal((await refresh(next, second.refreshToken)).statusCode, 401)
  assert.equal((await refresh(next, third.refreshToken)).statusCode, 200)
})

test('The checkpoint shows after the loss that a token was spent before it', async (t) => {
  const { app, env, clock, redis } = await setUp(t)
  const tokens = [(await signUp(app)).refreshToken]
  for (let i = 0; i < 3; i++)
    tokens.push((await refresh(app, tokens.at(-1) ?? '')).json().refreshToken)
  // A graceful stop writes the last checkpoints.
  await app.close()
  const sql = openSql(t, env)
  assert.deepEqual([...(await sql`select generation from sessions`)], [{ generation: 4 }])

  await redis.restart()
  const next = await build(t, env, clock)
  assert.equal((await refresh(next, tokens[1] ?? '')).statusCode, 401)
  assert.equal((await refresh(next, tokens[3] ?? '')).statusCode, 401)
  assert.deepEqual(
    [...(await sql`select revoked_reason from sessions`)],
    [{ revoked_reason: 'reuse' }],
  )
})

test('If the checkpoint was too old, theft is detected at the next refresh', async (t) => {
  const { app, clock, loseRedis } = await setUp(t)
  const first = await signUp(app)
  const second = (await refresh(app, first.refreshToken)).json()
  const third = (await refresh(app, second.refreshToken)).json()
  await loseRedis()
  const thief = await refresh(app, second.refreshToken)
  assert.equal(thief.statusCode, 200)
  clock.advance(GRACE + 1)
  // The victim's token has the same generation as the thief's, and has not been spent, so it is
  // accepted.
  const victim = await refresh(app, third.refreshToken)
  assert.equal(victim.statusCode, 200)
  clock.advance(GRACE + 1)
  assert.equal((await refresh(app, thief.json().refreshToken)).statusCode, 401)
  assert.equal((await refresh(app, victim.json().refreshToken)).statusCode, 401)
})

test('A logout that races with the re-opening wins every time', async (t) => {
  const { app, loseRedis } = await setUp(t)
  const pairs = await Promise.all(Array.from({ length: 40 }, () => signUp(app)))
  await loseRedis()
  const responses = await Promise.all(
    pairs.flatMap(({ refreshToken }, index) => {
      const both = [() => refresh(app, refreshToken), () => logOut(app, refreshToken)]
      return (index % 2 ? both : both.reverse()).map((go) => go())
    }),
  )
  assert.equal(responses.filter(({ statusCode }) => statusCode === 204).length, pairs.length)
  for (const { refreshToken, accessToken } of pairs) {
    assert.equal((await refresh(app, refreshToken, newRetryKey())).statusCode, 401)
    assert.equal((await me(app, accessToken)).statusCode, 401)
  }
})

test('Tokens of a revoked session cost Postgres one query, however often they come', async (t) => {
  const postgres = await startPostgres()
  cleanUp(t, () => postgres.stop())
  const database = await createTemplateDatabase(postgres.url)
  const { app } = await setUp(t, { DATABASE_URL: database.url })
  const { refreshToken } = await signUp(app)
  await logOut(app, refreshToken)
  assert.equal((await refresh(app, refreshToken)).statusCode, 401)
  await postgres.crash('SIGQUIT')
  assert.equal((await refresh(app, refreshToken)).statusCode, 401)
})

test('A refresh of a lost session gets a 503 while Postgres is unavailable', async (t) => {
  const postgres = await startPostgres()
  cleanUp(t, () => postgres.stop())
  const database = await createTemplateDatabase(postgres.url)
  const { app, loseRedis } = await setUp(t, { DATABASE_URL: database.url })
  const { refreshToken } = await signUp(app)
  await loseRedis()
  await postgres.crash('SIGQUIT')
  assert.equal((await refreshOnce(app, refreshToken)).statusCode, 503)
  await postgres.restart()
  await until(async () => (await refresh(app, refreshToken)).statusCode !== 503)
  assert.equal((await refresh(app, refreshToken)).statusCode, 200)
})
