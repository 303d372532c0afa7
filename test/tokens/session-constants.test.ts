import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import { checkClaims, MAX_CLAIMS } from '../../src/tokens/session-constants.ts'
import { call, refresh, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { runCli } from '../support/cli-process.ts'
import { BY_COOKIE } from '../support/cookie-requests.ts'
import { setCookieOf } from '../support/cookies.ts'
import { newClientSecret } from '../support/credentials.ts'
import { buildHost } from '../support/embedded-host.ts'
import { inject } from '../support/retry-unavailable.ts'
import { startRedis } from '../support/services/redis.ts'

const SECRET = newClientSecret()
const CLAIMS = { tenant: 'acme', plan: { seats: [1, 2.5, null] }, größe: true, '1': 'first' }

function addRoutes(app: FastifyInstance): void {
  app.post<{ Body: { id: string; authTime?: number } }>('/sign-in', (request, reply) => {
    const { id, authTime } = request.body
    const start = { user: { id }, amr: ['hwk', 'otp'], authTime, claims: CLAIMS }
    return app.pawl.sessions.start(request, reply, start)
  })
  app.get('/who', { preHandler: app.authenticate }, async ({ auth }) => auth)
}

async function claimsOf(host: FastifyInstance, accessToken: string) {
  const { authTime, amr, claims } = (await call(host, accessToken, 'GET', '/who')).json()
  return { authTime, amr, claims }
}

test('what is constant in a session survives everything that the session survives', async (t) => {
  const redis = await startRedis()
  cleanUp(t, redis.stop)
  const operator = new Redis(redis.url)
  cleanUp(t, async () => operator.disconnect())
  const overrides = { REDIS_URL: redis.url, INTROSPECTION_CLIENTS: `gateway:${SECRET}` }
  const { host, env } = await buildHost(t, { overrides, extend: addRoutes })
  const authTime = Math.floor(Date.now() / 1000) - 100
  const payload = { id: crypto.randomUUID(), authTime }
  const signedIn = await inject(host, { method: 'POST', url: '/sign-in', payload })
  assert.equal(signedIn.statusCode, 200, signedIn.body)
  const expected = { authTime, amr: ['hwk', 'otp'], claims: CLAIMS }
  let pair = signedIn.json()
  assert.deepEqual(await claimsOf(host, pair.accessToken), expected)

  for (const disturb of [
    async () => {},
    async () => operator.flushall(),
    async () => runCli(['keys', 'rotate'], env),
    async () => operator.flushall(),
  ]) {
    await disturb()
    const first = await refresh(host, pair.refreshToken)
    assert.equal(first.statusCode, 200, first.body)
    const again = await refresh(host, pair.refreshToken)
    assert.equal(again.json().refreshToken, first.json().refreshToken)
    pair = first.json()
    assert.deepEqual(await claimsOf(host, pair.accessToken), expected)
  }

  const introspect = async (token: string, hint: string) => {
    const response = await inject(host, {
      method: 'POST',
      url: '/oauth/introspect',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${Buffer.from(`gateway:${SECRET}`).toString('base64')}`,
      },
      payload: new URLSearchParams({ token, token_type_hint: hint }).toString(),
    })
    return response.json()
  }
  const { auth_time, amr, tenant, plan } = await introspect(pair.accessToken, 'access_token')
  assert.deepEqual(
    { auth_time, amr, tenant, plan },
    { auth_time: authTime, amr: expected.amr, tenant: CLAIMS.tenant, plan: CLAIMS.plan },
  )
  const asRefresh = await introspect(pair.refreshToken, 'refresh_token')
  assert.deepEqual([asRefresh.active, asRefresh.auth_time], [true, authTime])
  assert.equal(asRefresh.tenant, undefined)
})

test('the largest refresh token of an application fits in a cookie', async (t) => {
  const { host } = await buildHost(t, {
    extend: (app) => {
      app.post('/sign-in', (request, reply) =>
        app.pawl.sessions.start(request, reply, {
          user: { id: 'u'.repeat(128) },
          amr: Array.from({ length: 8 }, (_, index) => `${index}`.repeat(32)),
          claims: { a: 'x'.repeat(MAX_CLAIMS - '{"a":""}'.length) },
        }),
      )
    },
  })
  const headers = { ...BY_COOKIE, origin: 'https://auth.example.com' }
  const first = await inject(host, { method: 'POST', url: '/sign-in', headers })
  assert.equal(first.statusCode, 200, first.body)
  const cookie = setCookieOf(first).pair
  const next = await inject(host, {
    method: 'POST',
    url: '/auth/refresh',
    headers: { ...headers, cookie },
  })
  assert.equal(next.statusCode, 200, next.body)
  for (const response of [first, next]) {
    const { name, value } = setCookieOf(response)
    // Browsers ignore a cookie whose name and value exceed 4096 bytes (RFC 6265bis 5.6).
    assert.ok(name.length + value.length < 4_000, `${name.length + value.length} bytes`)
    // The refresh cookie contains the claims, or this test would prove nothing.
    assert.ok(value.length > (MAX_CLAIMS * 4) / 3)
  }
})

test('a login by password says so, and a future authentication counts as now', async (t) => {
  const { host } = await buildHost(t, { extend: addRoutes })
  const before = Math.floor(Date.now() / 1000) - 1
  const { accessToken } = await signUp(host)
  const { authTime, amr, claims } = await claimsOf(host, accessToken)
  assert.ok(authTime >= before && authTime <= Date.now() / 1000 + 1)
  assert.deepEqual([amr, claims], [['pwd'], {}])
  const payload = { id: crypto.randomUUID(), authTime: Math.floor(Date.now() / 1000) + 3_600 }
  const signedIn = await inject(host, { method: 'POST', url: '/sign-in', payload })
  const later = await claimsOf(host, signedIn.json().accessToken)
  assert.ok(later.authTime <= Date.now() / 1000 + 1)
})

test('a route cannot change what a later request of the same token is told', async (t) => {
  const { host } = await buildHost(t, {
    extend: (app) => {
      addRoutes(app)
      app.get('/spoil', { preHandler: app.authenticate }, async ({ auth }) => {
        Array.prototype.push.call(auth?.amr, 'mfa')
        auth?.roles.push('admin')
        assert.throws(() => Object.assign(auth?.claims ?? {}, { tenant: 'other' }), TypeError)
        return 'spoiled'
      })
    },
  })
  const payload = { id: crypto.randomUUID() }
  const { accessToken } = (await inject(host, { method: 'POST', url: '/sign-in', payload })).json()
  assert.equal((await call(host, accessToken, 'GET', '/spoil')).body, 'spoiled')
  const { amr, claims } = await claimsOf(host, accessToken)
  assert.deepEqual([amr, claims], [['hwk', 'otp'], CLAIMS])
})

test('claims that an application may not add are refused, and a copy of others is kept', () => {
  const cycle: { self?: object } = {}
  cycle.self = cycle
  for (const claims of [
    ...[undefined, null, 'a', 1, [], ['a'], new Date(), () => {}, cycle, { count: 1n }],
    ...['sub', 'iss', 'exp', 'roles', 'sid', 'amr', 'auth_time', 'cnf'].map((name) => ({
      [name]: 1,
    })),
    JSON.parse('{"__proto__": {"admin": true}}'),
    { text: 'a'.repeat(MAX_CLAIMS) },
  ])
    assert.ok('problem' in checkClaims(claims), String(claims))
  const size = MAX_CLAIMS - '{"a":""}'.length
  assert.ok('claims' in checkClaims({ a: 'x'.repeat(size) }))
  assert.ok('problem' in checkClaims({ a: 'x'.repeat(size + 1) }))
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (claims) => {
      const checked = checkClaims(claims)
      if ('problem' in checked) return
      // Whatever was accepted is the same text each time that it travels through a token.
      const text = JSON.stringify(checked.claims)
      assert.equal(JSON.stringify(JSON.parse(text)), text)
    }),
  )
})
