import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { HTTPMethods, RouteOptions } from 'fastify'
import { readOpenapi } from '../../scripts/docs/openapi.ts'
import { signUp } from '../support/app-requests.ts'
import { newClientSecret, newEmail, PASSWORD } from '../support/credentials.ts'
import { environment } from '../support/environment.ts'
import { buildWithRoutes } from '../support/registered-routes.ts'
import { inject } from '../support/retry-unavailable.ts'

/** The routes that anyone may call. A route that is not in this list has to refuse strangers. */
const PUBLIC = [
  'POST /auth/signup',
  'POST /auth/login',
  'POST /auth/password/forgot',
  'POST /auth/password/reset',
  'POST /auth/email/verify',
  'POST /auth/refresh',
  'POST /oauth/revoke',
  'GET /.well-known/jwks.json',
  'GET /.well-known/oauth-authorization-server',
  'GET /health/live',
  'GET /health/ready',
  'GET /metrics',
  'GET /openapi.json',
  'GET /',
  'GET /playground/:file',
]

/** Bodies for the routes that validate a body before they look at the caller. */
const BODIES: Record<string, object> = {
  'POST /auth/password': { currentPassword: PASSWORD, newPassword: `${PASSWORD}, or two` },
  'POST /auth/reauthenticate': { password: PASSWORD },
  'POST /auth/email': { email: newEmail(), currentPassword: PASSWORD },
  'POST /admin/users': { email: newEmail(), password: PASSWORD },
  'PATCH /admin/users/:id': { status: 'active' },
}

const ID = '0190a0a0-0000-7000-8000-000000000000'

interface Route {
  method: HTTPMethods
  /** As in the lists above. The HEAD route of a GET route has the name of the GET route. */
  name: string
  path: string
  caller: string | undefined
}

/** Returns a route for each method. The OPTIONS routes are CORS preflights, which have no guard. */
function describe({ method, url, config }: RouteOptions): Route[] {
  const path = url.replace(/^\/playground\/.+/, '/playground/:file')
  const methods = [method].flat().filter((name) => name !== 'OPTIONS')
  return methods.map((method) => {
    const name = `${method === 'HEAD' ? 'GET' : method} ${path}`
    return { method: method as HTTPMethods, name, path: url, caller: config?.caller }
  })
}

async function setUp(t: TestContext) {
  const env = await environment(t, {
    INTROSPECTION_CLIENTS: `gateway:${newClientSecret()}`,
    SESSION_CLIENTS: `portal:${newClientSecret()}`,
    CORS_ORIGINS: 'https://app.example.com',
    PLAYGROUND: 'true',
  })
  const { app, routes } = await buildWithRoutes(t, env)
  const guarded = routes.flatMap(describe).filter(({ name }) => !PUBLIC.includes(name))
  /** Calls a route, and returns the status and code of its problem document. */
  const call = async ({ name, method, path }: Route, accessToken?: string) => {
    const { statusCode, headers, body } = await inject(app, {
      method: method as 'GET',
      url: path.replace(':id', ID),
      headers: accessToken ? { authorization: `Bearer ${accessToken}` } : {},
      ...(name in BODIES && { payload: BODIES[name] ?? {} }),
    })
    const isProblem = String(headers['content-type']).includes('problem+json') && body !== ''
    const code = isProblem ? JSON.parse(body).code : undefined
    return { statusCode, code, challenge: headers['www-authenticate'] }
  }
  return { app, routes: routes.flatMap(describe), guarded, call }
}

test('the walk finds every route, and the lists name no route that does not exist', async (t) => {
  const { routes, guarded } = await setUp(t)
  const names = new Set(routes.map(({ name }) => name))
  assert.deepEqual(
    [...PUBLIC, ...Object.keys(BODIES)].filter((name) => !names.has(name)),
    [],
  )
  assert.ok(guarded.length > 15)
})

test('every route that is not public refuses a caller without credentials', async (t) => {
  const { guarded, call } = await setUp(t)
  for (const route of guarded) {
    const { statusCode, challenge } = await call(route)
    assert.equal(statusCode, 401, `${route.method} ${route.path} is neither public nor guarded`)
    assert.match(String(challenge), route.caller === 'client' ? /^Basic / : /^Bearer$/, route.name)
  }
})

test('every route under /admin refuses a user without the role', async (t) => {
  const { app, routes, call } = await setUp(t)
  const { accessToken } = await signUp(app)
  const admin = routes.filter(({ path }) => /^\/admin(\/|$)/.test(path))
  assert.ok(admin.length > 0)
  for (const route of admin) {
    const { statusCode, code } = await call(route, accessToken)
    assert.equal(statusCode, 403, `${route.method} ${route.path}`)
    assert.equal(code, route.method === 'HEAD' ? undefined : 'AUTH_FORBIDDEN')
  }
})

test('every route states in the OpenAPI document who may call it', async (t) => {
  const { routes } = await setUp(t)
  for (const { name, path, caller } of routes) {
    if (PUBLIC.includes(name)) assert.equal(caller, undefined, name)
    else if (path.startsWith('/admin')) assert.equal(caller, 'admin', name)
    else if (path === '/auth/logout') assert.equal(caller, 'token-holder', name)
    else assert.equal(caller, /^\/(oauth|service)\//.test(path) ? 'client' : 'user', name)
  }
})

test('docs/api.md is made from the OpenAPI document that the server responds with', async (t) => {
  const { app } = await setUp(t)
  const { paths, components } = (await app.inject('/openapi.json')).json()
  const documented = await readOpenapi()
  assert.deepEqual(documented.paths, paths)
  assert.deepEqual(documented.components, components)
})
