import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { call, me, refresh } from '../support/app-requests.ts'
import { newClientSecret } from '../support/credentials.ts'
import { build } from '../support/in-process-server.ts'
import { inject } from '../support/retry-unavailable.ts'

const SECRET = newClientSecret()
const basic = (credentials: string) => `Basic ${Buffer.from(credentials).toString('base64')}`

async function setUp(t: TestContext) {
  const app = await build(t, {
    SESSION_CLIENTS: `portal:${SECRET}`,
    INTROSPECTION_CLIENTS: `gateway:${SECRET}`,
  })
  const start = (payload: object, authorization = basic(`portal:${SECRET}`)) =>
    inject(app, {
      method: 'POST',
      url: '/service/sessions',
      payload: { amr: ['hwk'], ...payload },
      headers: { authorization },
    })
  return { app, start }
}

test('a service starts a session for a user whom it has authenticated', async (t) => {
  const { app, start } = await setUp(t)
  const id = `saml|${crypto.randomUUID()}`
  const device = { ip: '203.0.113.7', userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0' }
  const response = await start({ user: { id, roles: ['editor'] }, device })
  assert.equal(response.statusCode, 201, response.body)
  assert.equal(response.headers['cache-control'], 'no-store')
  const { accessToken, refreshToken, sessionId } = response.json()
  assert.deepEqual((await me(app, accessToken)).json(), { id, roles: ['editor'], sessionId })
  assert.equal((await refresh(app, refreshToken)).statusCode, 200)
  const { sessions } = (await call(app, accessToken, 'GET', '/auth/sessions')).json()
  assert.deepEqual([sessions[0].ip, sessions[0].device], [device.ip, 'Firefox on Linux'])
})

test('only a client of SESSION_CLIENTS may start sessions', async (t) => {
  const { app, start } = await setUp(t)
  for (const credentials of [`gateway:${SECRET}`, `portal:${SECRET}y`, 'portal:', ''])
    assert.equal((await start({ user: { id: 'a' } }, basic(credentials))).statusCode, 401)
  const anonymous = await app.inject({ method: 'POST', url: '/service/sessions' })
  assert.equal(anonymous.statusCode, 401)
  assert.match(String(anonymous.headers['www-authenticate']), /^Basic /)
  const without = await build(t)
  const missing = await without.inject({ method: 'POST', url: '/service/sessions' })
  assert.equal(missing.statusCode, 404)
})

test('a session that cannot be is refused in words', async (t) => {
  const { start } = await setUp(t)
  for (const [payload, field] of [
    [{}, 'user'],
    [{ user: {} }, 'user.id'],
    [{ user: { id: 'a' }, amr: [] }, 'amr'],
    [{ user: { id: 'a' }, amr: ['a b'] }, 'amr.0'],
    [{ user: { id: 'a' }, authTime: Date.now() }, 'authTime'],
    [{ user: { id: 'a' }, claims: { sub: 'b' } }, 'claims'],
    [{ user: { id: 'a' }, claims: { long: 'ü'.repeat(510) } }, 'claims'],
    [{ user: { id: 'a' }, claims: ['a'] }, 'claims'],
    [{ user: { id: 'a', status: 'active' } }, 'user'],
    [{ user: { id: 'no spaces' } }, 'user.id'],
    [{ user: { id: 'a', roles: ['Not a role'] } }, 'user.roles.0'],
    [{ user: { id: 'a', email: 'nobody' } }, 'user.email'],
  ] as const) {
    const response = await start(payload)
    assert.equal(response.statusCode, 400, response.body)
    assert.equal(response.json().errors[0].field, field)
  }
})
