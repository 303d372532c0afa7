import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import type { Row, Sql } from 'postgres'
import { call, logIn, me, refresh, signUp } from '../support/app-requests.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { openSql } from '../support/database.ts'
import { buildHost } from '../support/embedded-host.ts'
import { environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { inject } from '../support/retry-unavailable.ts'
import { startServer } from '../support/server-process.ts'
import { signUpAt } from '../support/server-requests.ts'

const REFUSALS = [
  'password_rejected',
  'access_denied',
  'token_rejected',
  'client_rejected',
  'limit_reached',
]

/** Closes the server, which writes what waits, and returns the refusals that are stored. */
async function refusalsAfter(app: FastifyInstance, sql: Sql) {
  await app.close()
  return sql`
    select type, user_id, session_id, ip, detail from security_events
    where type in ${sql(REFUSALS)} order by id`
}

const countOf = (rows: readonly Row[]): number =>
  rows.reduce((sum, { detail }) => sum + (detail.times ?? 1), 0)

const basic = (credentials: string) => `Basic ${Buffer.from(credentials).toString('base64')}`

test('refusals that say something of attacks are security events', async (t) => {
  const secret = 'client-secret-0123456789-abcdefghij'
  const env = await environment(t, { INTROSPECTION_CLIENTS: `gateway:${secret}` })
  const app = await build(t, env)
  const sql = openSql(t, env)
  const { accessToken, refreshToken, sessionId } = await signUp(app)
  const introspect = (authorization?: string) =>
    inject(app, {
      method: 'POST',
      url: '/oauth/introspect',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        ...(authorization && { authorization }),
      },
      payload: `token=${refreshToken}`,
    })
  const wrong = 'not the password of anybody'
  const cases = [
    [403, await call(app, accessToken, 'GET', '/admin/users/some-id')],
    [401, await me(app, `${accessToken.slice(0, -8)}AAAAAAAA`)],
    [401, await refresh(app, 'no-token')],
    [401, await introspect(basic(`gateway:${secret}x`))],
    [403, await call(app, accessToken, 'POST', '/auth/reauthenticate', { password: wrong })],
    [
      403,
      await call(app, accessToken, 'POST', '/auth/password', {
        currentPassword: wrong,
        newPassword: 'another long password of mine',
      }),
    ],
    [
      403,
      await inject(app, {
        method: 'POST',
        url: '/auth/login',
        headers: { origin: 'https://evil.example', 'x-token-delivery': 'cookie' },
        payload: { email: newEmail(), password: PASSWORD },
      }),
    ],
    // None of these is an attack: no token, no credentials, a session that has ended.
    [401, await inject(app, { url: '/auth/me' })],
    [401, await introspect()],
    [204, await call(app, accessToken, 'POST', '/auth/logout')],
    [401, await me(app, accessToken)],
    [401, await refresh(app, refreshToken)],
    [404, await inject(app, { url: '/nowhere' })],
  ] as const
  for (const [index, [status, response]] of cases.entries())
    assert.equal(response.statusCode, status, `${index}: ${response.body}`)

  const [user] = await sql`select id from users`
  const rows = await refusalsAfter(app, sql)
  const own = [user?.id, sessionId]
  const nobody = [null, null]
  assert.deepEqual(
    rows.map(({ type, user_id, session_id, detail }) => [
      type,
      user_id,
      session_id,
      detail.code,
      detail.route,
    ]),
    [
      ['access_denied', ...own, 'AUTH_FORBIDDEN', 'GET /admin/users/:id'],
      ['token_rejected', ...nobody, 'AUTH_INVALID_TOKEN', 'GET /auth/me'],
      ['token_rejected', ...nobody, 'AUTH_INVALID_REFRESH_TOKEN', 'POST /auth/refresh'],
      ['client_rejected', ...nobody, 'AUTH_INVALID_CLIENT', 'POST /oauth/introspect'],
      ['password_rejected', ...own, 'AUTH_WRONG_PASSWORD', 'POST /auth/reauthenticate'],
      ['password_rejected', ...own, 'AUTH_WRONG_PASSWORD', 'POST /auth/password'],
      ['access_denied', ...nobody, 'AUTH_ORIGIN_NOT_ALLOWED', 'POST /auth/login'],
    ],
  )
  for (const { ip } of rows) assert.equal(ip, '127.0.0.1')
})

test('a limit that is reached is one event, and another one with the number that follow', async (t) => {
  const env = await environment(t, { RATE_LIMIT: 'on' })
  const app = await build(t, env)
  const sql = openSql(t, env)
  for (let count = 0; count < 25; count++) await logIn(app, newEmail(), 'a wrong password')
  const rows = await refusalsAfter(app, sql)
  const [first, ...others] = rows
  assert.deepEqual(first?.detail, { code: 'RATE_LIMITED', route: 'POST /auth/login' })
  for (const { type, ip } of rows) assert.deepEqual([type, ip], ['limit_reached', '127.0.0.1'])
  assert.equal(countOf(others), 4)
  // Not one each, even if a minute ends in between.
  assert.ok(others.length <= 3)
})

test('a flood from many addresses fills a few rows, and each refusal is counted', async (t) => {
  const env = await environment(t, { TRUST_PROXY: 'loopback' })
  const app = await build(t, env)
  const sql = openSql(t, env)
  const requests = 1_000
  for (let count = 0; count < requests; count++) {
    const headers = {
      authorization: 'Bearer not.a.token',
      'x-forwarded-for': `203.0.${count % 200}.${count % 7}`,
    }
    assert.equal((await inject(app, { url: '/auth/me', headers })).statusCode, 401)
  }
  const rows = await refusalsAfter(app, sql)
  // Twenty addresses with two events each, and one for all others, within each of two minutes.
  assert.ok(rows.length <= 2 * 41, String(rows.length))
  assert.equal(countOf(rows), requests)
})

test('in an application, its own routes are recorded once as well', async (t) => {
  const { host, env } = await buildHost(t, {
    prefix: '/api',
    extend: (host) => {
      const preHandler = host.authorize({ roles: ['auditor'] })
      host.get('/invoices/:id', { preHandler }, async () => 'secret')
      host.setErrorHandler((_error, _request, reply) => reply.code(418).send())
    },
  })
  const sql = openSql(t, env)
  const { accessToken } = await signUpIn(host)
  for (const token of [accessToken, 'forged'])
    for (const url of ['/invoices/1', '/api/admin/users'])
      assert.ok((await call(host, token, 'GET', url)).statusCode >= 401)
  const rows = await refusalsAfter(host, sql)
  assert.deepEqual(
    rows.map(({ type, detail }) => [type, detail.route, detail.times]),
    [
      ['access_denied', 'GET /invoices/:id', undefined],
      ['access_denied', 'GET /api/admin/users', undefined],
      ['token_rejected', 'GET /invoices/:id', undefined],
      ['token_rejected', 'GET /api/admin/users', undefined],
    ],
  )
})

async function signUpIn(host: FastifyInstance) {
  const payload = { email: newEmail(), password: PASSWORD }
  const url = '/api/auth/signup'
  return (await inject(host, { method: 'POST', url, payload })).json()
}

test('the log lines of a request with an access token have the id of its user', async (t) => {
  const server = await startServer(t, await environment(t))
  const { accessToken } = await signUpAt(server.url)
  const authorization = `Bearer ${accessToken}`
  const get = (path: string, headers = {}) => fetch(server.url + path, { headers })
  const { id } = (await (await get('/auth/me', { authorization })).json()) as { id: string }
  assert.equal((await get('/admin/users', { authorization })).status, 403)
  assert.equal((await get('/auth/me')).status, 401)
  server.child.kill('SIGTERM')
  await server.ended
  const lines = server
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
  const completed = lines.filter(({ msg }) => msg === 'request completed')
  assert.deepEqual(
    completed.map(({ res, userId }) => [res.statusCode, userId]),
    [
      [201, undefined],
      [200, id],
      [403, id],
      [401, undefined],
    ],
  )
  const refused = lines.filter(({ msg }) => msg === 'request refused')
  assert.deepEqual(
    refused.map(({ code, userId }) => [code, userId]),
    [
      ['AUTH_FORBIDDEN', id],
      ['AUTH_MISSING_TOKEN', undefined],
    ],
  )
})
