import assert from 'node:assert/strict'
import { test } from 'node:test'
import Fastify from 'fastify'
import { Cluster, Redis } from 'ioredis'
import postgres from 'postgres'
import { loadConfig, pawl } from '../../src/index.ts'
import { logIn, me, refresh, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { type Env, environment, required } from '../support/environment.ts'
import { startCluster } from '../support/services/cluster.ts'
import { startSentinel } from '../support/services/sentinel.ts'

/** Returns the configuration without the stores, and where they are. */
async function settings(t: Parameters<typeof environment>[0]) {
  const { DATABASE_URL = '', REDIS_URL = '', ...rest } = await environment(t)
  return { config: loadConfig(rest), rest, DATABASE_URL, REDIS_URL }
}

test('An application gives its own clients, which Pawl leaves as they are', async (t) => {
  const { config, DATABASE_URL, REDIS_URL } = await settings(t)
  // Each of these options would break Pawl if it used the clients themselves.
  const redis = new Redis(REDIS_URL, {
    keyPrefix: 'shop:',
    stringNumbers: true,
    enableAutoPipelining: true,
    maxRetriesPerRequest: null,
  })
  const sql = postgres(DATABASE_URL, {
    max: 1,
    transform: postgres.camel,
    types: { bigint: postgres.BigInt },
    connection: { search_path: 'elsewhere', TimeZone: 'Asia/Tokyo', DateStyle: 'German' },
    onnotice: () => {},
  })
  cleanUp(t, async () => {
    redis.disconnect()
    await sql.end({ timeout: 1 })
  })
  const app = Fastify()
  cleanUp(t, () => app.close())
  await app.register(pawl, { config, redis, sql })
  await app.ready()

  const { email, refreshToken } = await signUp(app)
  const refreshed = (await refresh(app, refreshToken)).json()
  assert.equal((await me(app, refreshed.accessToken)).statusCode, 200)
  assert.equal((await logIn(app, email)).statusCode, 200)
  const health = await app.inject('/health/ready')
  assert.equal(health.statusCode, 200, health.body)
  const userId = (await me(app, refreshed.accessToken)).json().id
  assert.equal(Number(await redis.exists(`pawl:{${userId}}`)), 0)
  const plain = redis.duplicate({ keyPrefix: '' })
  cleanUp(t, async () => plain.disconnect())
  assert.equal(Number(await plain.exists(`pawl:{${userId}}`)), 1)

  await app.close()
  await redis.set('after', '1', 'PX', 10_000)
  assert.equal(await redis.get('after'), '1')
  const [row] =
    await sql`select 9007199254740993::bigint as big_number, current_setting('TimeZone') as zone`
  assert.deepEqual({ ...row }, { bigNumber: 9007199254740993n, zone: 'Asia/Tokyo' })
})

test('Clients that are closed, or do not connect at once, serve as well', async (t) => {
  const { config, DATABASE_URL, REDIS_URL } = await settings(t)
  const redis = new Redis(REDIS_URL, { lazyConnect: true })
  const sql = postgres(DATABASE_URL)
  await sql.end()
  const app = Fastify()
  cleanUp(t, () => app.close())
  await app.register(pawl, { config, redis, sql })
  await signUp(app)
  assert.equal(redis.status, 'wait')
})

test('Clients that cannot stand for the stores are refused in words', async (t) => {
  const { config, rest, DATABASE_URL, REDIS_URL } = await settings(t)
  const redis = new Redis(REDIS_URL, { lazyConnect: true })
  const sql = postgres(DATABASE_URL, { max: 1 })
  const refusal = async (options: object, env: Env = {}) => {
    const app = Fastify()
    cleanUp(t, () => app.close())
    const given = Object.keys(env).length > 0 ? loadConfig(env) : config
    await assert.rejects(
      async () => app.register(pawl, { config: given, ...options } as never),
      (error: Error) => {
        message = error.message
        return true
      },
    )
    return message
  }
  let message = ''
  assert.match(await refusal({ redis }), /both clients of the application, or neither/)
  assert.match(await refusal({ sql }), /both clients of the application, or neither/)
  assert.match(await refusal({ redis: {}, sql }), /redis is not a client of ioredis/)
  assert.match(await refusal({ redis, sql: {} }), /sql is not a client of postgres\.js/)
  const urls = { ...rest, DATABASE_URL, REDIS_URL }
  assert.match(
    await refusal({ redis, sql }, urls),
    /DATABASE_URL and the option sql exclude[\s\S]*REDIS_URL and the option redis exclude/,
  )
  const { REFRESH_TOKEN_SECRET: _, ...others } = rest
  assert.match(await refusal({ redis, sql }, others), /REFRESH_TOKEN_SECRET is required because/)
})

test('A client of a server that is unavailable is named by the error', async (t) => {
  const { config, DATABASE_URL } = await settings(t)
  const redis = new Redis(required('TEST_REDIS_URL'), { lazyConnect: true })
  const nowhere = postgres('postgres://nobody@127.0.0.1:1/nothing')
  const app = Fastify({ pluginTimeout: 60_000 })
  cleanUp(t, () => app.close())
  await assert.rejects(
    async () => app.register(pawl, { config, redis, sql: nowhere }),
    /Postgres at 127\.0\.0\.1:1: cannot be reached/,
  )
  const other = Fastify({ pluginTimeout: 60_000 })
  cleanUp(t, () => other.close())
  const lost = new Redis({ host: '127.0.0.1', port: 1, lazyConnect: true })
  await assert.rejects(
    async () => other.register(pawl, { config, redis: lost, sql: postgres(DATABASE_URL) }),
    /Redis at 127\.0\.0\.1:1: cannot be reached/,
  )
})

test('A client of a cluster, and one that Sentinels lead to the master, serve as well', async (t) => {
  const { config, DATABASE_URL } = await settings(t)
  const [cluster, trio] = await Promise.all([startCluster(), startSentinel()])
  cleanUp(t, () => Promise.all([cluster.stop(), trio.stop()]))
  const nodes = cluster.url.split(',').map((url) => ({ port: Number(new URL(url).port) }))
  const sentinels = trio.url
    .replace(/^.*:\/\/(.*)\/.*$/, '$1')
    .split(',')
    .map((address) => ({ host: '127.0.0.1', port: Number(address.split(':')[1]) }))
  const clients = [
    new Cluster(nodes, { keyPrefix: 'shop:', lazyConnect: true }),
    new Redis({ sentinels, name: trio.name, keyPrefix: 'shop:', lazyConnect: true }),
  ]
  for (const redis of clients) {
    const app = Fastify({ pluginTimeout: 60_000 })
    cleanUp(t, () => app.close())
    const sql = postgres(DATABASE_URL, { max: 1 })
    await app.register(pawl, { config, redis, sql })
    const { refreshToken } = await signUp(app)
    const { accessToken } = (await refresh(app, refreshToken)).json()
    assert.equal((await me(app, accessToken)).statusCode, 200)
    assert.equal(redis.status, 'wait')
    await app.close()
  }
})
