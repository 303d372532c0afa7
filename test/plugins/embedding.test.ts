import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import cookie from '@fastify/cookie'
import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import jwt from '@fastify/jwt'
import rateLimit from '@fastify/rate-limit'
import redis from '@fastify/redis'
import swagger from '@fastify/swagger'
import Fastify, { type FastifyInstance } from 'fastify'
import { loadConfig, pawl, problemDetails } from '../../src/index.ts'
import { logIn, me, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { SECURE_NAME } from '../support/cookies.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { openSql } from '../support/database.ts'
import { type Env, environment, required } from '../support/environment.ts'
import { inject } from '../support/retry-unavailable.ts'

interface EmbedOptions {
  overrides?: Env
  prefix?: string
  /** Called after Pawl is registered. */
  extend?: (host: FastifyInstance) => PromiseLike<unknown>
}

async function embed(
  t: TestContext,
  prepare: (host: FastifyInstance) => Promise<void> = async () => {},
  { overrides = {}, prefix = '', extend = async () => {} }: EmbedOptions = {},
) {
  const env = await environment(t, overrides)
  const host = Fastify()
  cleanUp(t, () => host.close())
  await prepare(host)
  await host.register(pawl, { config: loadConfig(env), prefix })
  await extend(host)
  host.get('/invoices', { preHandler: host.authenticate }, async (request) => request.auth)
  host.get(
    '/audit',
    { preHandler: host.authorize({ roles: ['admin', 'auditor'] }) },
    async () => 'secret',
  )
  host.get('/ledger', { preHandler: host.authorize({ fresh: true }) }, async () => 'up to date')
  await host.ready()
  return { host, env }
}

const get = (host: FastifyInstance, url: string, token?: string) =>
  inject(host, { url, headers: token ? { authorization: `Bearer ${token}` } : {} })

test("an application's own routes are guarded, and know the user", async (t) => {
  const { host } = await embed(t)
  const pair = await signUp(host)
  const response = await get(host, '/invoices', pair.accessToken)
  assert.equal(response.statusCode, 200)
  const { userId, sessionId, roles, tokenId, expiresAt } = response.json()
  assert.equal(sessionId, pair.sessionId)
  assert.deepEqual(roles, [])
  assert.ok(userId && tokenId && expiresAt > Date.now())

  const anonymous = await get(host, '/invoices')
  assert.equal(anonymous.statusCode, 401)
  assert.equal(anonymous.headers['www-authenticate'], 'Bearer')
  const bad = await get(host, '/invoices', pair.refreshToken)
  assert.equal(bad.statusCode, 401)
  assert.equal(bad.headers['www-authenticate'], 'Bearer error="invalid_token"')
})

test('authorize demands one of the roles, and a new role counts from the next login', async (t) => {
  const { host, env } = await embed(t)
  const { accessToken, email } = await signUp(host)
  const refused = await get(host, '/audit', accessToken)
  assert.equal(refused.statusCode, 403)
  assert.equal((await get(host, '/audit')).statusCode, 401)

  await openSql(t, env)`update users set roles = '{auditor}', ver = ver + 1 where email = ${email}`
  const pair = (await logIn(host, email)).json()
  assert.equal((await get(host, '/audit', pair.accessToken)).statusCode, 200)
  // The older token has an older authorization version, which a fresh check refuses.
  assert.equal((await get(host, '/ledger', accessToken)).statusCode, 401)
  assert.equal((await get(host, '/ledger', pair.accessToken)).statusCode, 200)
})

test('the application gets exactly three decorators, and keeps its own errors', async (t) => {
  const before = new Set<string>()
  const { host } = await embed(t, async (host) => {
    for (const name of Object.getOwnPropertyNames(host)) before.add(name)
  })
  const added = Object.getOwnPropertyNames(host).filter((name) => !before.has(name))
  assert.deepEqual(added.sort(), ['authenticate', 'authorize', 'pawl'])
  const missing = await get(host, '/nowhere')
  assert.equal(missing.json().error, 'Not Found')
  assert.equal(missing.headers['content-security-policy'], undefined)
  assert.equal(
    (await me(host, 'x')).headers['content-type'],
    'application/problem+json; charset=utf-8',
  )
})

test('problemDetails renders anything that an application throws', async (t) => {
  const { host } = await embed(t, async (host) => {
    await host.register(problemDetails)
    const thrown = [
      null,
      'text',
      new DOMException('aborted', 'AbortError'),
      { code: 11000 },
      { code: 'constructor' },
    ]
    for (const [index, what] of thrown.entries())
      host.get(`/throw/${index}`, async () => {
        throw what
      })
    host.get('/conflict', async () => {
      throw Object.assign(new Error('taken'), { statusCode: 409 })
    })
  })
  for (let index = 0; index < 5; index++) {
    const response = await get(host, `/throw/${index}`)
    assert.equal(response.statusCode, 500)
    assert.equal(response.json().code, 'INTERNAL_ERROR')
  }
  assert.equal((await get(host, '/conflict')).json().code, 'BAD_REQUEST')
})

test('Pawl works in an application that uses the same plugins for itself', async (t) => {
  const { host } = await embed(t, async (host) => {
    await host.register(helmet)
    await host.register(jwt, { secret: 'of the application' })
    await host.register(rateLimit, { max: 1_000 })
    await host.register(redis, { url: required('TEST_REDIS_URL') })
    await host.register(swagger, { openapi: { openapi: '3.1.0' } })
    await host.register(problemDetails)
  })
  const pair = await signUp(host)
  assert.equal((await get(host, '/invoices', pair.accessToken)).statusCode, 200)
  assert.ok(host.swagger().paths?.['/auth/refresh'])
  const own = host.jwt.sign({ hello: 'world' })
  assert.deepEqual(host.jwt.verify<{ hello: string }>(own).hello, 'world')
  const problem = await get(host, '/invoices', own)
  assert.equal(problem.json().code, 'AUTH_INVALID_TOKEN')
})

test('an application may register @fastify/jwt after Pawl', async (t) => {
  const { host } = await embed(t, undefined, {
    extend: (host) => host.register(jwt, { secret: 'of the application' }),
  })
  const pair = await signUp(host)
  assert.equal((await get(host, '/invoices', pair.accessToken)).statusCode, 200)
  const own = host.jwt.sign({ hello: 'world' })
  assert.equal(host.jwt.verify<{ hello: string }>(own).hello, 'world')
  assert.equal((await get(host, '/invoices', own)).json().code, 'AUTH_INVALID_TOKEN')
})

test('the cookies and origins of the application and those of Pawl do not mix', async (t) => {
  const { host } = await embed(
    t,
    async (host) => {
      await host.register(cookie, {
        secret: 'of the application',
        parseOptions: { domain: 'example.com' },
      })
      await host.register(cors, { origin: 'https://own.example' })
      host.get('/theme', async (request, reply) =>
        reply.setCookie('theme', 'dark').send(request.cookies),
      )
    },
    { overrides: { CORS_ORIGINS: 'https://app.example.com' }, prefix: '/api' },
  )
  const origin = 'https://app.example.com'
  const response = await host.inject({
    method: 'POST',
    url: '/api/auth/signup',
    headers: { origin, 'x-token-delivery': 'cookie', cookie: 'theme=dark' },
    payload: { email: newEmail(), password: PASSWORD },
  })
  assert.equal(response.statusCode, 201)
  assert.equal(response.headers['access-control-allow-origin'], origin)
  const set = response.headers['set-cookie']?.toString() ?? ''
  assert.ok(set.startsWith(`${SECURE_NAME}=`))
  assert.match(set, /; Path=\/;/)
  assert.doesNotMatch(set, /Domain/i)

  const own = await host.inject({ url: '/theme', headers: { origin, cookie: 'a=b' } })
  assert.deepEqual(own.json(), { a: 'b' })
  assert.match(own.headers['set-cookie']?.toString() ?? '', /^theme=dark; Domain=example.com/)
  assert.equal(own.headers['access-control-allow-origin'], 'https://own.example')
})

test("the application's own routes do not allow the origins of Pawl", async (t) => {
  const origin = 'https://app.example.com'
  const { host } = await embed(t, async () => {}, { overrides: { CORS_ORIGINS: origin } })
  const headers = { origin, 'access-control-request-method': 'DELETE' }
  const preflight = await host.inject({ method: 'OPTIONS', url: '/invoices', headers })
  assert.equal(preflight.statusCode, 404)
  for (const response of [preflight, await host.inject({ url: '/invoices', headers })])
    assert.equal(response.headers['access-control-allow-origin'], undefined)
})
