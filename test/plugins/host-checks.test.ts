import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import Fastify, { type FastifyInstance } from 'fastify'
import { authenticate, authorize, loadConfig, pawl } from '../../src/index.ts'
import { call, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { newClientSecret } from '../support/credentials.ts'
import { buildHost } from '../support/embedded-host.ts'
import { environment } from '../support/environment.ts'
import { inject } from '../support/retry-unavailable.ts'
import { temporaryFolder } from '../support/temporary-files.ts'

function createHost(t: TestContext): FastifyInstance {
  const host = Fastify()
  cleanUp(t, () => host.close())
  return host
}

function addGuarded(host: FastifyInstance): void {
  host.get('/any', { preHandler: authenticate }, async ({ auth }) => auth?.userId)
  host.get('/admin-only', { preHandler: authorize({ roles: ['admin'] }) }, async () => 'secret')
  host.get('/fresh', { preHandler: authorize({ fresh: true }) }, async () => 'secret')
}

test('the exported guards work although the registration was not awaited', async (t) => {
  const host = createHost(t)
  const config = loadConfig(await environment(t))
  host.register(pawl, { config })
  addGuarded(host)
  host.register(async (scope) => {
    scope.get('/inner', { preHandler: authenticate }, async () => 'secret')
  })
  for (const url of ['/any', '/admin-only', '/fresh', '/inner']) {
    const refused = await inject(host, { url })
    assert.equal(refused.statusCode, 401, url)
    assert.equal(refused.headers['www-authenticate'], 'Bearer')
  }
  const { accessToken } = await signUp(host)
  const get = async (url: string) => (await call(host, accessToken, 'GET', url)).statusCode
  assert.deepEqual(
    [await get('/any'), await get('/admin-only'), await get('/fresh'), await get('/inner')],
    [200, 403, 200, 200],
  )
})

test('the exported guards let nobody in without Pawl, whatever decorators there are', async (t) => {
  const host = createHost(t)
  // As an application without Pawl might have it.
  host.decorate('authenticate', async () => {})
  host.decorate('authorize', () => async () => {})
  addGuarded(host)
  for (const url of ['/any', '/admin-only', '/fresh'])
    assert.equal((await host.inject(url)).statusCode, 500)
})

test('a guard beside the scope of Pawl lets nobody in', async (t) => {
  const host = createHost(t)
  const config = loadConfig(await environment(t))
  await host.register(async (scope) => {
    await scope.register(pawl, { config, prefix: '/inner' })
  })
  addGuarded(host)
  assert.equal((await host.inject('/any')).statusCode, 500)
})

test('authorize refuses what it cannot understand when the route is made', () => {
  assert.throws(() => authorize({ maxAge: 'soon' }), /maxAge must be a duration/)
  assert.throws(() => authorize({ roles: 'admin' as never }), /roles must be a list/)
})

test('registering without the configuration says what is missing', async (t) => {
  const host = createHost(t)
  await assert.rejects(async () => host.register(pawl, {} as never), {
    message: 'Pawl needs its configuration: register(pawl, { config: loadConfig(process.env) })',
  })
})

test('a start that takes too long names the option that gives it more time', async (t) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  cleanUp(t, async () => silent.close())
  const { port } = silent.address() as AddressInfo
  const env = await environment(t)
  const embedded = { PAWL_DATA_DIR: join(await temporaryFolder(t), 'data') }
  const starts = {
    'Postgres that never replies': { ...env, DATABASE_URL: `postgres://a@127.0.0.1:${port}/a` },
    'Redis that never replies': { ...env, REDIS_URL: `redis://127.0.0.1:${port}` },
    'first start of the embedded default': embedded,
  }
  for (const [name, variables] of Object.entries(starts)) {
    // The last one takes longer than this on any machine, because it creates a database.
    const host = Fastify({ pluginTimeout: 200 })
    cleanUp(t, () => host.close().catch(() => {}))
    const register = async () => {
      await host.register(pawl, { config: loadConfig(variables) })
    }
    await assert.rejects(register, /not started within 200 ms.*pluginTimeout: 60_000/, name)
  }
  // Without `await` the error comes when the application gets ready.
  const host = Fastify({ pluginTimeout: 200 })
  cleanUp(t, () => host.close().catch(() => {}))
  host.register(pawl, { config: loadConfig(starts['Redis that never replies']) })
  await assert.rejects(async () => host.ready(), /pluginTimeout: 60_000/)
})

test('routes are left out by name, and a name that does not exist is refused', async (t) => {
  const off = { login: false, admin: false, oauth: false, discovery: false }
  const { host } = await buildHost(t, {
    routes: { ...off, health: false, metrics: false, service: false, playground: false },
    overrides: { SESSION_CLIENTS: `portal:${newClientSecret()}` },
  })
  for (const [method, url] of [
    ['POST', '/auth/signup'],
    ['POST', '/auth/login'],
    ['POST', '/auth/password'],
    ['POST', '/auth/reauthenticate'],
    ['GET', '/admin/users'],
    ['POST', '/oauth/revoke'],
    ['POST', '/service/sessions'],
    ['GET', '/.well-known/jwks.json'],
    ['GET', '/.well-known/oauth-authorization-server'],
    ['GET', '/health/live'],
    ['GET', '/health/ready'],
    ['GET', '/metrics'],
  ] as const)
    assert.equal((await host.inject({ method, url })).statusCode, 404, url)
  const refused = await host.inject({ method: 'POST', url: '/auth/refresh', payload: {} })
  assert.equal(refused.statusCode, 400)

  const other = createHost(t)
  const config = loadConfig(await environment(t))
  await assert.rejects(
    async () => other.register(pawl, { config, routes: { metric: false } as never }),
    /routes\.metric does not exist\. There are login, /,
  )
})

test('a route that the application has already is reported with the way out', async (t) => {
  for (const [url, remedy] of [
    ['/metrics', 'routes: { metrics: false }, or with another prefix'],
    ['/health/live', 'routes: { health: false }, or with another prefix'],
    ['/auth/login', 'routes: { login: false }, or with another prefix'],
    ['/auth/me', 'another prefix'],
  ]) {
    const host = createHost(t)
    host.route({ method: ['GET', 'POST'], url: url ?? '', handler: async () => 'own' })
    const config = loadConfig(await environment(t))
    await assert.rejects(
      async () => host.register(pawl, { config }),
      (error: Error) => {
        assert.match(error.message, new RegExp(`a route (GET|POST) ${url} already`))
        assert.ok(error.message.includes(`Register Pawl with ${remedy}, or rename`), error.message)
        return true
      },
    )
  }
})

test('a route is reported by its group under the prefixes of the application and of Pawl', async (t) => {
  const host = createHost(t)
  const config = loadConfig(await environment(t))
  const register = (own: string, prefix: string) =>
    host.register(
      async (scope) => {
        scope.get(own, async () => 'own')
        await scope.register(pawl, { config, prefix })
      },
      { prefix: '/api' },
    )
  await assert.rejects(
    async () => register('/id/metrics', '/id'),
    /route GET \/api\/id\/metrics already.* with routes: \{ metrics: false \}, or with another prefix/,
  )
})

test('a decorator that the application has already is named', async (t) => {
  const config = loadConfig(await environment(t))
  const cases: [string, (host: FastifyInstance) => unknown][] = [
    ['"authenticate"', (host) => host.decorate('authenticate', async () => {})],
    ['"authorize"', (host) => host.decorate('authorize', () => async () => {})],
    ['"pawl"', (host) => host.decorate('pawl', {} as never)],
    ['"request.auth"', (host) => host.decorateRequest('auth', null)],
  ]
  for (const [name, decorate] of cases) {
    const host = createHost(t)
    decorate(host)
    await assert.rejects(
      async () => host.register(pawl, { config }),
      (error: Error) => error.message.includes(`Pawl adds the decorators ${name}`),
    )
  }
})
