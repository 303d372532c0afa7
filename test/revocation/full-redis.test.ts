import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import { meOnce, refresh, refreshOnce, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { startRedis } from '../support/services/redis.ts'
import { until } from '../support/until.ts'

/** Returns the age of the picture of a node, in milliseconds. */
async function lagOf(node: FastifyInstance): Promise<number> {
  const [, seconds = ''] =
    /^revocation_lag_seconds (.*)$/m.exec((await node.inject('/metrics')).body) ?? []
  return Number(seconds) * 1_000
}

test('While Redis is full, access tokens are accepted, and logouts get 503', async (t) => {
  const redis = await startRedis({ flags: ['--maxmemory-policy', 'noeviction'] })
  cleanUp(t, redis.stop)
  const operator = new Redis(redis.url)
  cleanUp(t, async () => operator.disconnect())
  const env = await environment(t, { REDIS_URL: redis.url })
  const [one, two] = [await build(t, env), await build(t, env)]
  const nodes = [one, two]
  const live = await signUp(one)
  const ending = await signUp(one)
  // A recent revocation, which a node that reconnects finds in Postgres.
  const ended = await signUp(one)
  const logOut = async (refreshToken: string) => {
    const payload = { refreshToken }
    const { statusCode } = await one.inject({ method: 'POST', url: '/auth/logout', payload })
    return statusCode
  }
  assert.equal(await logOut(ended.refreshToken), 204)

  await operator.config('SET', 'maxmemory', '1mb')
  for (let reconnections = 0; reconnections < 3; reconnections++) {
    for (const node of nodes) {
      await until(async () => (await meOnce(node, ended.accessToken)).statusCode === 401)
      assert.equal((await meOnce(node, live.accessToken)).statusCode, 200)
      const ready = await node.inject('/health/ready')
      assert.equal(ready.statusCode, 503)
    }
    assert.equal((await refreshOnce(two, live.refreshToken)).statusCode, 503)
    assert.equal(await logOut(ending.refreshToken), 503)
    await operator.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    const lostAt = performance.now()
    // Each node has to prove its picture again on the new connection.
    for (const node of nodes)
      await until(async () => (await lagOf(node)) < performance.now() - lostAt)
  }

  await operator.config('SET', 'maxmemory', '0')
  for (const node of nodes) {
    await until(async () => (await node.inject('/health/ready')).statusCode === 200)
    // The sweep publishes what was committed while Redis was full.
    await until(async () => (await meOnce(node, ending.accessToken)).statusCode === 401)
    assert.equal((await meOnce(node, live.accessToken)).statusCode, 200)
    assert.equal((await refresh(node, ending.refreshToken)).statusCode, 401)
  }
  assert.equal((await refresh(two, live.refreshToken)).statusCode, 200)
})

test('While Redis cannot write to its disk, access tokens are accepted', async (t) => {
  // Nothing can be written there.
  const redis = await startRedis({ flags: ['--save', '3600 1', '--dir', '/proc'] })
  cleanUp(t, redis.stop)
  const operator = new Redis(redis.url)
  cleanUp(t, async () => operator.disconnect())
  const node = await build(t, await environment(t, { REDIS_URL: redis.url }))
  const { accessToken, refreshToken } = await signUp(node)
  await operator.bgsave()
  await until(async () => (await operator.info('persistence')).includes('bgsave_status:err'))
  await operator.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  const lostAt = performance.now()
  await until(async () => (await lagOf(node)) < performance.now() - lostAt)
  assert.equal((await meOnce(node, accessToken)).statusCode, 200)
  assert.equal((await refreshOnce(node, refreshToken)).statusCode, 503)
  assert.equal((await node.inject('/health/ready')).statusCode, 503)
  await operator.config('SET', 'save', '')
  assert.equal((await refresh(node, refreshToken)).statusCode, 200)
})
