import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import Fastify from 'fastify'
import { loadConfig, pawl } from '../../src/index.ts'
import {
  createVerifiedTokens,
  type VerifiedTokensOptions,
} from '../../src/tokens/verified-tokens.ts'
import { me, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { createClock } from '../support/clock.ts'
import { environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { logOut } from '../support/nodes.ts'

const TTL = 900_000

/** A cache whose claims are numbers. Negative numbers stand for tokens that are not live. */
function createCache(options: Partial<VerifiedTokensOptions<number>> = {}) {
  const isLive = (claims: number) => claims >= 0
  return createVerifiedTokens({ life: TTL, clock: () => 0, version: () => 0, isLive, ...options })
}

/** Returns the bytes on the heap after a garbage collection. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed
}

async function setUp(t: TestContext) {
  const clock = createClock()
  const app = await build(t, await environment(t), clock)
  const session = await signUp(app)
  assert.equal((await me(app, session.accessToken)).statusCode, 200)
  return { app, clock, ...session }
}

test('A token that differs from a verified one in any character is refused', async (t) => {
  const { app, accessToken } = await setUp(t)
  for (let at = 0; at < accessToken.length; at += 7) {
    const other = accessToken[at] === 'A' ? 'B' : 'A'
    const forged = accessToken.slice(0, at) + other + accessToken.slice(at + 1)
    assert.equal((await me(app, forged)).statusCode, 401, `character ${at}`)
  }
  for (const forged of [accessToken.slice(0, -1), `${accessToken}A`, `${accessToken}.`])
    assert.equal((await me(app, forged)).statusCode, 401)
  assert.equal((await me(app, accessToken)).statusCode, 200)
})

test('A verified token is refused once it has expired or its session is revoked', async (t) => {
  const { app, clock, accessToken } = await setUp(t)
  const revoked = await signUp(app)
  assert.equal((await me(app, revoked.accessToken)).statusCode, 200)
  assert.equal(await logOut(app, revoked.refreshToken), 204)
  assert.equal((await me(app, revoked.accessToken)).statusCode, 401)
  clock.advance(TTL)
  assert.equal((await me(app, accessToken)).statusCode, 401)
})

test('A request that changes its roles does not change those of the next request', async (t) => {
  const app = Fastify()
  cleanUp(t, () => app.close())
  await app.register(pawl, { config: loadConfig(await environment(t)) })
  app.get('/change', { preHandler: app.authenticate }, async ({ auth }) =>
    auth?.roles.push('admin'),
  )
  const { accessToken } = await signUp(app)
  const headers = { authorization: `Bearer ${accessToken}` }
  for (let round = 0; round < 2; round++)
    assert.equal((await app.inject({ url: '/change', headers })).body, '1')
})

test('The cache is bounded under a flood of tokens, and a token in regular use stays', () => {
  const known = createCache()
  known.add('regular', 1)
  let largest = 0
  for (let index = 0; index < 200_000; index++) {
    known.add(`token ${index}`, index)
    if (index % 1_000 === 0) assert.equal(known.find('regular'), 1)
    largest = Math.max(largest, known.size())
  }
  assert.ok(largest <= 100_000, `${largest} tokens`)
  assert.equal(known.find('token 199999'), 199_999)
  assert.equal(known.find('token 1'), undefined)
})

test('A token is evicted after two lifetimes without use, or when a key is revoked', () => {
  const clock = createClock(0)
  let version = 0
  const known = createCache({ clock, version: () => version })
  for (const token of ['one', 'two']) {
    known.add(token, 1)
    clock.advance(TTL + 1)
  }
  known.add('three', 1)
  assert.equal(known.find('one'), undefined)
  assert.equal(known.find('two'), 1)
  version++
  assert.equal(known.find('two'), undefined)
  assert.equal(known.find('three'), undefined)
})

test('The cache is bounded by bytes under a flood of long tokens', () => {
  const known = createCache()
  let largest = 0
  for (let index = 0; index < 40_000; index++) {
    known.add(`${'x'.repeat(4_000)}${index}`, index)
    largest = Math.max(largest, known.size())
  }
  assert.ok(largest * 4_000 * 2 < 56 * 2 ** 20, `${largest} tokens`)
})

test('A token that has expired or was revoked is not remembered', () => {
  const known = createCache()
  known.add('dead', -1)
  assert.equal(known.find('dead'), undefined)
  assert.equal(known.size(), 0)
})

test('The cache keeps no text alive that a token is a part of', () => {
  const known = createCache()
  const before = heapUsed()
  for (let index = 0; index < 500; index++) {
    const line = Buffer.alloc(200_000, `token-${index}.`).toString('latin1')
    known.add(line.slice(0, 400), index)
    assert.equal(known.find(line.slice(0, 400)), index)
  }
  assert.ok(heapUsed() - before < 20 * 2 ** 20)
  assert.ok(known.size() === 500)
})

test('A token in another spelling is refused', async (t) => {
  const { app, accessToken } = await setUp(t)
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const spellings = [...alphabet]
    .map((last) => accessToken.slice(0, -1) + last)
    .filter((spelling) => spelling !== accessToken)
  const padded = ['=', '==', '!', '.', '/', ','].map((end) => accessToken + end)
  for (const other of [...spellings, ...padded])
    assert.equal((await me(app, other)).statusCode, 401, JSON.stringify(other.slice(-3)))
  assert.equal((await me(app, accessToken)).statusCode, 200)
})

test('A bearer token may follow several spaces, and long runs of them are not remembered', async (t) => {
  const { app, accessToken } = await setUp(t)
  const authorization = `Bearer${' '.repeat(10_000)}${accessToken}`
  const response = await app.inject({ url: '/auth/me', headers: { authorization } })
  assert.equal(response.statusCode, 200)
})
