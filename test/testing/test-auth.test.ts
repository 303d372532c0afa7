import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import Fastify, { type FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { authenticate, authOf, authorize, problemDetails } from '../../src/index.ts'
import { createTestAuth, type TestAuthOptions, type TestUser } from '../../src/testing/index.ts'
import { cleanUp } from '../support/clean-up.ts'
import { buildHost } from '../support/embedded-host.ts'

const PERMISSIONS = { editor: ['invoices:write'] }

async function addRoutes(app: FastifyInstance): Promise<void> {
  const done = async () => 'done'
  app.get('/me', { preHandler: authenticate }, async (request) => authOf(request))
  app.get('/decorated', { preHandler: app.authenticate }, async (request) => request.auth)
  app.get('/admin', { preHandler: authorize({ roles: ['admin'] }) }, done)
  app.get('/write', { preHandler: app.authorize({ permissions: ['invoices:write'] }) }, done)
  app.get('/recent', { preHandler: authorize({ maxAge: '5m' }) }, done)
  app.get('/factor', { preHandler: authorize({ amr: ['otp'] }) }, done)
  app.get('/fresh', { preHandler: authorize({ roles: ['admin'], fresh: true }) }, done)
}

async function build(t: TestContext, options: TestAuthOptions = {}) {
  const auth = createTestAuth({ rolePermissions: PERMISSIONS, ...options })
  const app = Fastify()
  cleanUp(t, () => app.close())
  await app.register(problemDetails)
  await app.register(auth.plugin)
  await app.register(addRoutes)
  const get = (url: string, user?: TestUser) => app.inject({ url, headers: auth.headers(user) })
  return { auth, app, get }
}

test('a route sees the user whom the test has made', async (t) => {
  const { get } = await build(t)
  const user = {
    userId: 'google|ada',
    sessionId: '01890a5d-ac96-774b-bcce-b302099a8057',
    roles: ['editor'],
    claims: { tenant: 'acme' },
    amr: ['pwd', 'otp'],
    authTime: 1_700_000_000,
  }
  for (const url of ['/me', '/decorated']) {
    const { tokenId, expiresAt, ...auth } = (await get(url, user)).json()
    assert.deepEqual(auth, { ...user, sessionClaims: user.claims })
    assert.ok(tokenId && expiresAt > Date.now())
  }
  assert.equal((await get('/me')).json().userId, 'test-user')
})

for (const [url, allowed, refused, status] of [
  ['/admin', { roles: ['admin'] }, { roles: ['editor'] }, 403],
  ['/write', { roles: ['editor'] }, { roles: ['admin'] }, 403],
  ['/recent', { age: '4m' }, { age: '6m' }, 401],
  ['/recent', { age: 0 }, { authTime: 1_700_000_000 }, 401],
  ['/factor', { amr: ['pwd', 'otp'] }, { amr: ['pwd'] }, 401],
  ['/fresh', { roles: ['admin'] }, { roles: ['editor'] }, 403],
] as const)
  test(`${url} lets in ${JSON.stringify(allowed)}, not ${JSON.stringify(refused)}`, async (t) => {
    const { get } = await build(t)
    assert.equal((await get(url, allowed)).statusCode, 200)
    assert.equal((await get(url, refused)).statusCode, status)
  })

for (const [state, status, code] of [
  ['expired', 401, 'AUTH_INVALID_TOKEN'],
  ['revoked', 401, 'AUTH_INVALID_TOKEN'],
  ['stale', 503, 'AUTH_UNAVAILABLE'],
] as const)
  test(`a token that is ${state} is refused with ${status}, and no other is`, async (t) => {
    const { get } = await build(t)
    for (const url of ['/me', '/fresh']) {
      const refused = await get(url, { state, roles: ['admin'] })
      assert.equal(refused.statusCode, status)
      assert.equal(refused.json().code, code)
      assert.match(String(refused.headers['content-type']), /^application\/problem\+json/)
      const header = status === 401 ? 'www-authenticate' : 'retry-after'
      assert.ok(refused.headers[header])
      assert.equal((await get(url, { roles: ['admin'] })).statusCode, 200)
    }
  })

test('a session ends in the middle of a test, and a token expires by the clock', async (t) => {
  let now = 1_700_000_000_000
  const { app, auth, get } = await build(t, { clock: () => now })
  const first = auth.headers()
  const second = auth.headers()
  const statusOf = async (headers: typeof first) =>
    (await app.inject({ url: '/me', headers })).statusCode
  const { sessionId } = (await app.inject({ url: '/me', headers: first })).json()
  auth.endSession(sessionId)
  assert.deepEqual([await statusOf(first), await statusOf(second)], [401, 200])
  now += 16 * 60_000
  assert.equal(await statusOf(second), 401)
  assert.equal((await get('/me')).statusCode, 200)
})

test('requests without a token or with a token of another test are refused', async (t) => {
  const { app } = await build(t)
  const anonymous = await app.inject('/me')
  assert.equal(anonymous.statusCode, 401)
  assert.equal(anonymous.headers['www-authenticate'], 'Bearer')
  const foreign = await app.inject({ url: '/me', headers: createTestAuth().headers() })
  assert.equal(foreign.statusCode, 401)
})

test('a server refuses the tokens of tests', async (t) => {
  const { host } = await buildHost(t, {
    extend: (app) => void app.get('/me', { preHandler: authenticate }, async () => 'in'),
  })
  const response = await host.inject({ url: '/me', headers: createTestAuth().headers() })
  assert.equal(response.statusCode, 401)
})

test('a user whom Pawl would refuse is a mistake of the test', () => {
  const { tokenFor } = createTestAuth()
  for (const user of [
    { userId: 'not an id' },
    { roles: ['No Role'] },
    { claims: { sub: 'x' } },
    { amr: [] },
    { age: 'soon' },
    { authTime: Date.now() * 1000 },
    { state: 'expird' },
    { role: ['admin'] },
  ])
    assert.throws(() => tokenFor(user as TestUser), TypeError, JSON.stringify(user))
})

test('plugins that depend on pawl can be loaded, and app.pawl says what is missing', async (t) => {
  const { app } = await build(t)
  await app.register(fp(async () => {}, { name: 'invoices', dependencies: ['pawl'] }))
  await app.ready()
  assert.throws(() => app.pawl.users, /createTestAuth has no app\.pawl/)
})
