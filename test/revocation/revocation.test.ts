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
import { startMonitor } from '../support/sessions/redis-monitor.ts'
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

test('A session that one node revokes is refused by every node, old or new', async (t) => {
  const { env, one, other } = await setUp(t)
  const { accessToken, refreshToken } = await signUp(one)
  assert.equal(await status(other, accessToken), 200)
  assert.equal(await logOut(one, refreshToken), 204)
  assert.equal(await status(one, accessToken), 401)
  assert.equal(await status(other, accessToken, '/fresh'), 401)
  await until(async () => (await status(other, accessToken)) === 401)
  assert.equal(await status(await startNode(t, env), accessToken), 401)
})

test('Theft and the session cap revoke sessions at every node', async (t) => {
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

test('A theft is recorded in Postgres even if it cannot be published', async (t) => {
  const { operator, one, other } = await setUp(t)
  const stolen = await signUp(one)
  const second = (await refresh(one, stolen.refreshToken)).json()
  const third = (await refresh(one, second.refreshToken)).json()
  // With this value in place of the stream, the hot state condemns the session, and then nothing
  // can be published.
  await operator.set('{pawl:revocations}', 'not a stream')
  assert.equal((await refreshOnce(one, stolen.refreshToken)).statusCode, 503)
  await operator.flushall()
  for (const node of [one, other]) {
    await until(async () => (await node.inject('/health/ready')).statusCode === 200)
    assert.equal((await refresh(node, third.refreshToken)).statusCode, 401)
    await until(async () => (await status(node, third.accessToken)) === 401)
  }
})

test('In the steady state an authenticated request makes no network call', async (t) => {
  const postgres = await startPostgres()
  cleanUp(t, () => postgres.stop())
  const database = await createTemplateDatabase(postgres.url)
  const { redis, operator, one } = await setUp(t, { DATABASE_URL: database.url })
  const { accessToken } = await signUp(one)
  // Without Postgres, a single query would fail the request.
  await postgres.crash('SIGQUIT')

  const monitor = await startMonitor(redis.url)
  cleanUp(t, async () => monitor.stop())
  for (let i = 0; i < 200; i++) assert.equal(await status(one, accessToken), 200)
  await Promise.all([monitor.waitFor('done'), operator.echo('done')])
  // Both nodes send these to read the feed, whatever the traffic.
  const feedCommands = ['xread', 'getex', 'time']
  const commands = monitor.commands.filter((command) => !feedCommands.includes(command))
  assert.deepEqual(commands, ['echo'])
})

test('A node with a stale feed responds with 503, and recovers by itself', async (t) => {
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

test('A Redis that loses everything neither logs out a user nor restores a session', async (t) => {
  const { redis, one, other } = await setUp(t)
  const [live, revoked] = [await signUp(one), await signUp(one)]
  await logOut(one, revoked.refreshToken)
  await redis.restart()
  for (const app of [one, other]) {
    await until(async () => (await status(app, live.accessToken)) === 200)
    assert.equal(await status(app, revoked.accessToken), 401)
    // This route asks Redis, and the node has to reconnect first.
    await until(async () => (await status(app, live.accessToken, '/fresh')) === 200)
    assert.equal(await status(app, revoked.accessToken, '/fresh'), 401)
  }
})

test('A node publishes the revocation that another node committed before it died', async (t) => {
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

test('A node notices that the stream was emptied, and reads Postgres instead', async (t) => {
  const { env, operator, one, other } = await setUp(t)
  const { accessToken } = await signUp(one)
  const sql = openSql(t, env)
  // As if the entry was lost after it had been published: no sweep looks for it again.
  await sql`update sessions set revoked_at = now(), published_at = now(), revoked_reason = 'logout'`
  await operator.flushall()
  for (const app of [one, other]) await until(async () => (await status(app, accessToken)) === 401)
})

test('A fail-over to a Redis that lacks the last writes does not restore a session', async (t) => {
  const { operator, one, other } = await setUp(t)
  const { accessToken, refreshToken } = await signUp(one)
  const [key = ''] = await operator.keys('pawl:{*}')
  const old = await operator.dumpBuffer(key)
  await logOut(one, refreshToken)

  await operator.restore(key, 60_000, old)
  await operator.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  // A refresh may succeed until a node has reconnected and closed the session again. Its tokens
  // are soon refused.
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
