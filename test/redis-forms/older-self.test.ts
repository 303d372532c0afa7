import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import { refresh, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { openSql } from '../support/database.ts'
import { environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { logOut } from '../support/nodes.ts'
import { createProxy } from '../support/proxy.ts'
import { startRedis } from '../support/services/redis.ts'
import { until } from '../support/until.ts'

async function ask<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url)
  try {
    return await work(redis)
  } finally {
    redis.disconnect()
  }
}

/** Starts a server A, its replica B, and a node that reaches A through a proxy. */
async function setUp(t: TestContext, rewrite?: (data: Buffer) => Buffer) {
  const a = await startRedis()
  cleanUp(t, () => a.stop())
  const b = await startRedis({ flags: ['--replicaof', '127.0.0.1', String(a.port)] })
  cleanUp(t, () => b.stop())
  const isSynchronised = (url: string) =>
    ask(url, async (redis) => (await redis.info('replication')).includes('master_link_status:up'))
  await until(() => isSynchronised(b.url))
  const proxy = await createProxy(t, a.url, rewrite ? { rewrite } : {})
  const env = await environment(t, { REDIS_URL: proxy.url })
  const app = await build(t, env)
  const isReady = async (node: FastifyInstance) =>
    (await node.inject('/health/ready')).statusCode === 200
  return {
    env,
    app,
    sql: openSql(t, env),
    /** Makes B the master, with what it has received from A so far. */
    async promoteB(): Promise<void> {
      await ask(a.url, (redis) => redis.wait(1, 5_000))
      await ask(b.url, (redis) => redis.replicaof('NO', 'ONE'))
      proxy.leadTo(b.url)
      await until(() => isReady(app))
    },
    /** Makes A the master again. It has run all the time and missed everything since. */
    async returnToA(): Promise<void> {
      proxy.leadTo(a.url)
      await until(() => isReady(app))
    },
  }
}

/** Hides the run id in the reply to INFO, without changing its length. */
const hideRunId = (data: Buffer) =>
  Buffer.from(data.toString('latin1').replace(/\nrun_id:/, '\nxxx_xx:'), 'latin1')

for (const [what, rewrite] of [
  ['A master that returns after it was replaced', undefined],
  ['The same master, which hides its run id,', hideRunId],
] as const)
  test(`${what} brings back no spent token and no revoked session`, async (t) => {
    const { env, app, sql, promoteB, returnToA } = await setUp(t, rewrite)
    const [honest, stolen, ended] = [await signUp(app), await signUp(app), await signUp(app)]
    await promoteB()

    const renew = async (refreshToken: string): Promise<string> =>
      (await refresh(app, refreshToken)).json().refreshToken
    const newest = await renew(await renew(honest.refreshToken))
    await renew(await renew(stolen.refreshToken))
    assert.equal(await logOut(app, ended.refreshToken), 204)
    await until(async () => {
      const rows = await sql`select 1 from sessions where generation = 3`
      return rows.length === 2
    })
    // So long ago that no node holds the revocation any more.
    await sql`update sessions set revoked_at = now() - interval '3 days'
      where id = ${ended.sessionId}`
    await returnToA()

    const another = await build(t, env)
    for (const node of [another, app]) {
      assert.equal((await refresh(node, ended.refreshToken)).statusCode, 401)
      assert.equal((await refresh(node, newest)).statusCode, 200)
    }
    assert.equal((await refresh(another, stolen.refreshToken)).statusCode, 401)
    const [session] = await sql`select revoked_reason from sessions where id = ${stolen.sessionId}`
    assert.equal(session?.revoked_reason, 'reuse')
  })

test('Nodes whose Redis hides its run id begin no eras in turn', async (t) => {
  const { env, app } = await setUp(t, hideRunId)
  const others = [await build(t, env), await build(t, env)]
  const eras = await ask(env.REDIS_URL ?? '', async (redis) => {
    const marker = () => redis.get('{pawl:revocations}:marker')
    const before = await marker()
    for (let i = 0; i < 3; i++) {
      const { refreshToken } = await signUp(app)
      for (const node of others) assert.equal((await refresh(node, refreshToken)).statusCode, 200)
    }
    return [before, await marker()]
  })
  assert.equal(eras[1], eras[0])
})
