import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import Fastify from 'fastify'
import { loadConfig, pawl } from '../../src/index.ts'
import { createVerifiedTokens } from '../../src/tokens/verified-tokens.ts'
import { me, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { createClock } from '../support/clock.ts'
import { environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { logOut } from '../support/nodes.ts'

const TTL = 900_000

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
  const known = createVerifiedTokens<number>(
    TTL,
    () => 0,
    () => 0,
  )
  known.add('regular', -1)
  let largest = 0
  for (let index = 0; index < 200_000; index++) {
    known.add(`token ${index}`, index)
    if (index % 1_000 === 0) assert.equal(known.find('regular'), -1)
    largest = Math.max(largest, known.size())
  }
  assert.ok(largest <= 32_768, `${largest} tokens`)
  assert.equal(known.find('token 199999'), 199_999)
  assert.equal(known.find('token 1'), undefined)
})

test('A token is evicted after two lifetimes without use, or when a key is revoked', () => {
  const clock = createClock(0)
  let version = 0
  const known = createVerifiedTokens<number>(TTL, clock, () => version)
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
