import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import Fastify, { type FastifyInstance } from 'fastify'
import { loadConfig, pawl } from '../../src/index.ts'
import { cleanUp } from '../support/clean-up.ts'
import { newClientSecret } from '../support/credentials.ts'
import { environment } from '../support/environment.ts'

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
