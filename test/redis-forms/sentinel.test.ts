import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Redis } from 'ioredis'
import { refresh, refreshOnce, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { environment } from '../support/environment.ts'
import { assertServes, logOut, refreshWhenAvailable, startNode, status } from '../support/nodes.ts'
import { startSentinel } from '../support/services/sentinel.ts'
import { until } from '../support/until.ts'

async function setUp(t: TestContext) {
  const redis = await startSentinel()
  cleanUp(t, () => redis.stop())
  const env = await environment(t, { REDIS_URL: redis.url })
  return { redis, one: await startNode(t, env), other: await startNode(t, env) }
}

test('A master that Sentinels name serves before and after a fail-over', async (t) => {
  const { redis, one, other } = await setUp(t)
  await assertServes(one, other)
  const alive = await signUp(one)
  const ended = await signUp(one)
  assert.equal(await logOut(one, ended.refreshToken), 204)

  await redis.master.crash('SIGKILL')
  assert.equal((await refreshOnce(one, alive.refreshToken)).statusCode, 503)
  const next = await refreshWhenAvailable(other, alive.refreshToken)
  for (const app of [one, other]) {
    await until(async () => (await status(app, next.accessToken)) === 200)
    assert.equal(await status(app, alive.accessToken), 200)
    assert.equal(await status(app, ended.accessToken), 401)
    assert.equal((await refresh(app, ended.refreshToken)).statusCode, 401)
  }
  await assertServes(one, other)
})

test('A logout stays in force if the promoted replica never received it', async (t) => {
  const { redis, one, other } = await setUp(t)
  const { accessToken, refreshToken } = await signUp(one)
  const alive = await signUp(other)
  const replica = new Redis(redis.replica.url)
  cleanUp(t, async () => replica.disconnect())
  await until(async () => (await replica.keys('pawl:{*}')).length === 2)

  // The replica is stopped and cut off, so that no buffer holds later writes for it.
  redis.replica.kill('SIGSTOP')
  const master = new Redis(redis.master.url)
  cleanUp(t, async () => master.disconnect())
  master.on('error', () => {})
  await master.call('CLIENT', 'KILL', 'TYPE', 'replica')
  assert.equal(await logOut(one, refreshToken), 204)
  await until(async () => (await status(other, accessToken)) === 401)
  await redis.master.crash('SIGKILL')
  redis.replica.kill('SIGCONT')

  await refreshWhenAvailable(one, alive.refreshToken)
  // A refresh that the promoted replica still accepts is soon refused, with its tokens.
  let token = refreshToken
  await until(async () => {
    const response = await refresh(other, token)
    if (response.statusCode === 200) token = response.json().refreshToken
    return response.statusCode === 401
  })
  for (const app of [one, other]) {
    await until(async () => (await status(app, alive.accessToken)) === 200)
    assert.equal(await status(app, accessToken), 401)
    assert.equal((await refresh(app, token)).statusCode, 401)
  }
})

test('A master that never replies is replaced, and stays replaced when it wakes up', async (t) => {
  const { redis, one } = await setUp(t)
  const { accessToken, refreshToken } = await signUp(one)
  redis.master.kill('SIGSTOP')
  assert.equal((await refreshOnce(one, refreshToken)).statusCode, 503)
  const next = await refreshWhenAvailable(one, refreshToken)
  await until(async () => (await status(one, next.accessToken)) === 200)

  // It wakes up and believes that it is the master until a Sentinel makes it a replica.
  redis.master.kill('SIGCONT')
  await refreshWhenAvailable(one, next.refreshToken)
  assert.equal(await status(one, accessToken), 200)
})

test('A node leaves a master that becomes a replica on an open connection', async (t) => {
  const { redis, one } = await setUp(t)
  const { accessToken, refreshToken } = await signUp(one)
  const operator = new Redis(redis.sentinels[0]?.url ?? '', { enableReadyCheck: false })
  cleanUp(t, async () => operator.disconnect())
  await operator.call('SENTINEL', 'FAILOVER', 'pawl')
  const promoted = new Redis(redis.replica.url)
  cleanUp(t, async () => promoted.disconnect())
  await until(async () => (await promoted.info('replication')).includes('role:master'))
  const demoted = new Redis(redis.master.url)
  cleanUp(t, async () => demoted.disconnect())
  await until(async () => (await demoted.info('replication')).includes('role:slave'))

  await refreshWhenAvailable(one, refreshToken)
  await until(async () => (await status(one, accessToken)) === 200)
  const other = await signUp(one)
  assert.equal((await promoted.keys('pawl:{*}')).length, 2)
  assert.equal(await logOut(one, other.refreshToken), 204)
})
