import assert from 'node:assert/strict'
import { createHook } from 'node:async_hooks'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import Fastify, { type FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import { loadConfig, pawl } from '../../src/index.ts'
import { signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { newClientSecret } from '../support/credentials.ts'
import { openSql } from '../support/database.ts'
import { environment } from '../support/environment.ts'
import { startRedis } from '../support/services/redis.ts'
import { until } from '../support/until.ts'

const GUIDE = new URL('../../docs/guides/embedding.md', import.meta.url)

/** Returns the names in a row of the table of the guide. */
function namesIn(guide: string, row: string): string[] {
  const line = guide.split('\n').find((text) => text.startsWith(`| ${row}`))
  assert.ok(line, `the guide has no row ${row}`)
  const [, , cell = ''] = line.split('|')
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
}

/** Returns the number of hooks of each kind that an instance has. */
function hooksOf(app: FastifyInstance): Record<string, number> {
  const symbol = Object.getOwnPropertySymbols(app).find(
    ({ description }) => description === 'fastify.hooks',
  )
  const hooks = Object.entries(Reflect.get(app, symbol ?? '') as Record<string, unknown>)
  const lists = hooks.filter((entry): entry is [string, unknown[]] => Array.isArray(entry[1]))
  return Object.fromEntries(lists.map(([name, list]) => [name, list.length]))
}

const keysOf = (app: FastifyInstance) =>
  Reflect.ownKeys(app).map((key) => (typeof key === 'symbol' ? (key.description ?? '') : key))

test('Pawl adds to an application what the guide lists, and nothing else', async (t) => {
  const guide = await readFile(GUIDE, 'utf8')
  const routes: string[] = []
  const env = await environment(t, {
    SESSION_CLIENTS: `portal:${newClientSecret()}`,
    INTROSPECTION_CLIENTS: `gateway:${newClientSecret()}`,
  })
  const host = Fastify()
  cleanUp(t, () => host.close())
  host.addHook('onRoute', ({ url }) => void routes.push(url))
  const [keys, hooks] = [keysOf(host), hooksOf(host)]
  await host.register(pawl, { config: loadConfig(env) })

  const added = keysOf(host).filter((key) => !keys.includes(key))
  assert.deepEqual(added.sort(), namesIn(guide, 'decorators of the application').sort())
  for (const name of namesIn(guide, 'decorators of requests'))
    assert.ok(host.hasRequestDecorator(name), name)
  assert.deepEqual(hooksOf(host), hooks)
  assert.equal(host.hasContentTypeParser('application/x-www-form-urlencoded'), false)
  assert.equal(host.hasContentTypeParser('text/plain'), true)

  const all = new Set(routes)
  const always = namesIn(guide, 'routes that are always there')
  const groups = namesIn(guide, 'routes that can be left out')
  // The guide names two things of the option itself.
  const off = Object.fromEntries(
    groups.filter((name) => /^\w+$/.test(name)).map((name) => [name, false]),
  )
  const rest: string[] = []
  const bare = Fastify()
  cleanUp(t, () => bare.close())
  bare.addHook('onRoute', ({ url }) => void rest.push(url))
  await bare.register(pawl, { config: loadConfig(env), routes: off })
  assert.deepEqual([...new Set(rest)].sort(), always.sort())
  for (const url of always) assert.ok(all.has(url), url)
})

test('Pawl opens the connections that the guide lists, and leaves no timer and no socket', async (t) => {
  const server = await startRedis()
  cleanUp(t, () => server.stop())
  const env = await environment(t, { REDIS_URL: server.url, DATABASE_POOL_SIZE: '3' })
  const redis = new Redis(server.url)
  const sql = openSql(t, env)
  cleanUp(t, async () => redis.disconnect())
  const ownNames = async () => {
    const list = (await redis.client('LIST')) as string
    return [...list.matchAll(/ name=(\S+)/g)].map(([, name]) => name).sort()
  }
  const postgresConnections = async () => {
    const [row] = await sql`
      select count(*)::int as count from pg_stat_activity
      where datname = current_database() and application_name = 'pawl'`
    return row?.count
  }
  await redis.ping()
  await postgresConnections()
  const sockets = () => process.getActiveResourcesInfo().sort().join()
  const before = sockets()
  // Timers that do not keep the process alive are no active resources.
  const timers = new Set<number>()
  let isOpen = true
  const hook = createHook({
    init: (id, type) => void (isOpen && type === 'Timeout' && timers.add(id)),
    destroy: (id) => void timers.delete(id),
  }).enable()
  cleanUp(t, async () => void hook.disable())

  const host = Fastify()
  cleanUp(t, () => host.close())
  await host.register(pawl, { config: loadConfig(env) })
  await host.ready()
  await Promise.all(Array.from({ length: 20 }, () => signUp(host)))
  assert.deepEqual(await ownNames(), ['pawl', 'pawl-feed'])
  assert.ok((await postgresConnections()) <= 3)

  await host.close()
  isOpen = false
  await until(async () => (await ownNames()).length === 0 && (await postgresConnections()) === 0)
  await until(() => timers.size === 0 && sockets() === before)
})
