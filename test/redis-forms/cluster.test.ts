import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { refresh, refreshOnce, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { environment } from '../support/environment.ts'
import {
  assertServes,
  logOut,
  refreshWhenAvailable,
  startNode,
  status,
  statusOnce,
} from '../support/nodes.ts'
import { startCluster } from '../support/services/cluster.ts'
import { until } from '../support/until.ts'

const STREAM = '{pawl:revocations}'

async function setUp(t: TestContext) {
  const redis = await startCluster()
  cleanUp(t, () => redis.stop())
  const env = await environment(t, { REDIS_URL: redis.url })
  return { redis, env, one: await startNode(t, env), other: await startNode(t, env) }
}

type Cluster = Awaited<ReturnType<typeof setUp>>['redis']

/** Signs up a user whose sessions are on the node with this port, or are not. */
async function signUpAt(app: FastifyInstance, redis: Cluster, port: number, isOnNode: boolean) {
  for (;;) {
    const session = await signUp(app)
    const [, payload = ''] = session.accessToken.split('.')
    const { sub } = JSON.parse(Buffer.from(payload, 'base64url').toString())
    if (((await redis.holderOf(`pawl:{${sub}}`)).port === port) === isOnNode) return session
  }
}

test('A cluster serves like a single Redis, many requests at once as well', async (t) => {
  const { one, other } = await setUp(t)
  for (let round = 0; round < 6; round++) await assertServes(one, other)
  const sessions = await Promise.all(Array.from({ length: 30 }, () => signUp(one)))
  const responses = await Promise.all(
    sessions.map(({ refreshToken }) => refresh(other, refreshToken)),
  )
  for (const { statusCode } of responses) assert.equal(statusCode, 200)
})

test('A lost master of a cluster affects only the users whose sessions it holds', async (t) => {
  const { redis, env, one, other } = await setUp(t)
  const { port } = await redis.holderOf(STREAM)
  const lost = redis.nodes.find((node) => node.port !== port)
  assert.ok(lost)
  const theirs = await signUpAt(one, redis, lost.port, true)
  const ended = await signUpAt(one, redis, lost.port, true)
  const ours = await signUpAt(one, redis, lost.port, false)
  assert.equal(await logOut(one, ended.refreshToken), 204)

  await lost.crash('SIGKILL')
  for (const app of [one, other, await startNode(t, env)]) {
    assert.equal((await refreshOnce(app, theirs.refreshToken)).statusCode, 503)
    assert.equal((await refresh(app, ours.refreshToken)).statusCode, 200)
    assert.equal(await status(app, ours.accessToken, '/fresh'), 200)
    assert.equal(await status(app, ended.accessToken), 401)
    assert.equal((await app.inject('/health/ready')).statusCode, 200)
  }

  await lost.restart()
  await refreshWhenAvailable(one, theirs.refreshToken)
  assert.equal((await refresh(other, ended.refreshToken)).statusCode, 401)
})

test('Without the master of the feed every node responds with 503 until it is back', async (t) => {
  const { redis, one, other } = await setUp(t)
  const lost = await redis.holderOf(STREAM)
  const alive = await signUp(one)
  const ended = await signUp(one)
  assert.equal(await logOut(one, ended.refreshToken), 204)

  await lost.crash('SIGKILL')
  for (const app of [one, other])
    await until(async () => (await statusOnce(app, alive.accessToken)) === 503)
  await lost.restart()
  for (const app of [one, other]) {
    await until(async () => (await status(app, alive.accessToken)) === 200)
    assert.equal(await status(app, ended.accessToken), 401)
  }
  await assertServes(one, other)
})

test('A cluster master that never replies affects only the users it holds', async (t) => {
  const { redis, one } = await setUp(t)
  const { port } = await redis.holderOf(STREAM)
  const silent = redis.nodes.find((node) => node.port !== port)
  assert.ok(silent)
  const theirs = await signUpAt(one, redis, silent.port, true)
  const ours = await signUpAt(one, redis, silent.port, false)

  silent.kill('SIGSTOP')
  assert.equal((await refreshOnce(one, theirs.refreshToken)).statusCode, 503)
  assert.equal((await refresh(one, ours.refreshToken)).statusCode, 200)
  assert.equal((await one.inject('/health/ready')).statusCode, 200)
  silent.kill('SIGCONT')
  await refreshWhenAvailable(one, theirs.refreshToken)
})

test('A server that starts without the master of the feed waits for it', async (t) => {
  const { redis, env } = await setUp(t)
  const holder = await redis.holderOf(STREAM)
  await holder.crash('SIGKILL')
  const late = startNode(t, env)
  await holder.restart()
  assert.equal(await status(await late, (await signUp(await late)).accessToken), 200)
  await holder.crash('SIGKILL')
  await assert.rejects(startNode(t, env), /cannot receive revocations: .+/)
})
