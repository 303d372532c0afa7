import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Redis } from 'ioredis'
import { logIn, refresh, refreshOnce, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { openSql } from '../support/database.ts'
import { type Env, environment } from '../support/environment.ts'
import { logOut, startNode, status, statusOnce } from '../support/nodes.ts'
import { startPostgres } from '../support/services/postgres.ts'
import { startRedis } from '../support/services/redis.ts'
import { createTemplateDatabase } from '../support/services/template.ts'
import { until } from '../support/until.ts'

async function setUp(t: TestContext, overrides: Env = {}) {
  const redis = await startRedis()
  cleanUp(t, () => redis.stop())
  const env = await environment(t, { REDIS_URL: redis.url, ...overrides })
  const operator = new Redis(redis.url)
  cleanUp(t, async () => operator.disconnect())
  operator.on('error', () => {})
  return { redis, env, operator, one: await startNode(t, env), other: await startNode(t, env) }
}

test('a revocation at one node is refused by the other, and by a third that starts later', async (t) => {
  const { env, one, other } = await setUp(t)
  const { accessToken, refreshToken } = await signUp(one)
  assert.equal(await status(other, accessToken), 200)
  assert.equal(await logOut(one, refreshToken), 204)
  assert.equal(await status(one, accessToken), 401)
  assert.equal(await status(other, accessToken, '/fresh'), 401)
  await until(async () => (await status(other, accessToken)) === 401)
  assert.equal(await status(await startNode(t, env), accessToken), 401)
})

test('theft, and the session cap, are revocations too', async (t) => {
  const { one, other } = await setUp(t, { MAX_SESSIONS_PER_USER: '1' })
  const stolen = await signUp(one)
  const second = (await refresh(one, stolen.refreshToken)).json()
  const third = (await refresh(one, second.refreshToken)).json()
  assert.equal((await refresh(one, stolen.refreshToken)).statusCode, 401)
  for (const { accessToken } of [stolen, second, third])
    await until(async () => (await status(other, accessToken)) === 401)

  const evicted = await signUp(one)
  await logIn(one, evicted.email)
  await until(async () => (await status(other, evicted.accessToken)) === 401)
})

test('a theft that Redis takes no news of is on record all the same', async (t) => {
  const { operator, one, other } = await setUp(t)
  const stolen = await signUp(one)
  const second = (await refresh(one, stolen.refreshToken)).json()
  const third = (await refresh(one, second.refreshToken)).json()
  // In the stead of the stream: the hot state condemns the session, and then no node can be told.
  await operator.set('{pawl:revocations}', 'not a stream')
  assert.equal((await refreshOnce(one, stolen.refreshToken)).statusCode, 503)
  await operator.flushall()
  for (const node of [one, other]) {
    await until(async () => (await node.inject('/health/ready')).statusCode === 200)
    assert.equal((await refresh(node, third.refreshToken)).statusCode, 401)
    await until(async () => (await status(node, third.accessToken)) === 401)
  }
})

test('in the steady state an authenticated request asks neither Redis nor Postgres', async (t) => {
  const postgres = await startPostgres()
  cleanUp(t, () => postgres.stop())
  const database = await createTemplateDatabase(postgres.url)
  const { operator, one } = await setUp(t, { DATABASE_URL: database.url })
  const { accessToken } = await signUp(one)
  // Without Postgres a single query would be an error.
  await postgres.crash('SIGQUIT')

  const monitor = await operator.monitor()
  cleanUp(t, async () => monitor.disconnect())
  const seen: string[] = []
  let done = false
  monitor.on('monitor', (_time: string, [command = '', text]: string[]) => {
    if (text === 'done') done = true
    else seen.push(command.toLowerCase())
  })
  for (let i = 0; i < 200; i++) assert.equal(await status(one, accessToken), 200)
  await operator.echo('done')
  await until(() => done)
  // What the nodes' own tailing of the feed costs, whatever the traffic.
  assert.deepEqual(
    seen.filter((command) => !['xread', 'getex', 'time'].includes(command)),
    [],
  )
})

test('a node that cannot know what is revoked answers 503, and takes up work again by itself', async (t) => {
  const { redis, one } = await setUp(t, { REVOCATION_MAX_STALENESS: '1s' })
  const { accessToken } = await signUp(one)
  redis.kill('SIGSTOP')
  await until(async () => (await statusOnce(one, accessToken)) === 503)
  const response = await one.inject({
    url: '/guarded',
    headers: { authorization: `Bearer ${accessToken}` },
  })
  assert.equal(response.json().code, 'AUTH_UNAVAILABLE')
  redis.kill('SIGCONT')
  await until(async () => (await status(one, accessToken)) === 200)

  await redis.crash('SIGKILL')
  await until(async () => (await statusOnce(one, accessToken)) === 503)
  await redis.restart()
  await until(async () => (await status(one, accessToken)) === 200)
})

test('access tokens of live sessions are good through a Redis that lost everything, revoked ones are not', async (t) => {
  const { redis, one, other } = await setUp(t)
  const [live, revoked] = [await signUp(one), await signUp(one)]
  await logOut(one, revoked.refreshToken)
  await redis.restart()
  for (const app of [one, other]) {
    await until(async () => (await status(app, live.accessToken)) === 200)
    assert.equal(await status(app, revoked.accessToken), 401)
    // Asks Redis, which has to be connected again first.
    await until(async () => (await status(app, live.accessToken, '/fresh')) === 200)
    assert.equal(await status(app, revoked.accessToken, '/fresh'), 401)
  }
})

test('what a process that died had committed and told nobody, another tells', async (t) => {
  const { env, one, other } = await setUp(t)
  const { accessToken, refreshToken, sessionId } = await signUp(one)
  const sql = openSql(t, env)
  await sql`update sessions set revoked_at = now() - interval '1 minute', revoked_reason = 'logout'`
  for (const app of [one, other]) await until(async () => (await status(app, accessToken)) === 401)
  assert.equal((await refresh(other, refreshToken)).statusCode, 401)
  await until(
    async () =>
      (await sql`select published_at from sessions where id = ${sessionId}`)[0]?.published_at,
  )
})

test('a stream that was emptied under a living connection is noticed, and made up for', async (t) => {
  const { env, operator, one, other } = await setUp(t)
  const { accessToken } = await signUp(one)
  const sql = openSql(t, env)
  // As if its entry had been lost between the writing and the reading: no sweep looks for it again.
  await sql`update sessions set revoked_at = now(), published_at = now(), revoked_reason = 'logout'`
  await operator.flushall()
  for (const app of [one, other]) await until(async () => (await status(app, accessToken)) === 401)
})

test('a fail-over to a Redis that missed the last writes does not bring a session back', async (t) => {
  const { operator, one, other } = await setUp(t)
  const { accessToken, refreshToken } = await signUp(one)
  const [key = ''] = await operator.keys('pawl:{*}')
  const old = await operator.dumpBuffer(key)
  await logOut(one, refreshToken)

  await operator.restore(key, 60_000, old)
  await operator.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  // Until a node is connected again and has closed it once more, a refresh may be served. It leads nowhere.
  let token = refreshToken
  await until(async () => {
    const response = await refresh(other, token)
    if (response.statusCode !== 200) return response.statusCode === 401
    token = response.json().refreshToken
    await until(async () => (await status(other, response.json().accessToken)) === 401)
    return false
  })
  assert.equal(await status(one, accessToken), 401)
})
