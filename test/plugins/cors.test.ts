import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { build } from '../support/in-process-server.ts'

const APP = 'https://app.example.com'
const NATIVE = ['capacitor://localhost', 'chrome-extension://abcdefghijklmnopabcdefghijklmnop']
const ENV = { CORS_ORIGINS: [APP, 'http://localhost:5173', ...NATIVE].join() }

function preflight(app: FastifyInstance, origin: string, url = '/auth/refresh') {
  const headers = {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'content-type,idempotency-key,x-token-delivery',
  }
  return app.inject({ method: 'OPTIONS', url, headers })
}

function logIn(app: FastifyInstance, origin?: string) {
  const payload = { email: newEmail(), password: PASSWORD }
  return app.inject({
    method: 'POST',
    url: '/auth/login',
    headers: origin ? { origin } : {},
    payload,
  })
}

test('pages of an allowed origin may send headers and cookies, and read responses', async (t) => {
  const app = await build(t, ENV)
  for (const origin of [APP, 'http://localhost:5173', ...NATIVE]) {
    const response = await preflight(app, origin)
    assert.equal(response.statusCode, 204)
    assert.equal(response.headers['access-control-allow-origin'], origin)
    assert.equal(response.headers['access-control-allow-credentials'], 'true')
    assert.equal(response.headers['access-control-allow-methods'], 'POST')
    for (const name of ['authorization', 'content-type', 'idempotency-key', 'x-token-delivery'])
      assert.ok(response.headers['access-control-allow-headers']?.split(', ').includes(name), name)

    // Errors, too: a page cannot tell a response that it may not read from a network failure.
    const refused = await logIn(app, origin)
    assert.equal(refused.statusCode, 401)
    assert.equal(refused.headers['access-control-allow-origin'], origin)
    assert.equal(refused.headers['access-control-allow-credentials'], 'true')
    assert.match(refused.headers['access-control-expose-headers']?.toString() ?? '', /retry-after/)
  }
})

test('no other origin gets CORS headers, and caches keep the origins apart', async (t) => {
  const app = await build(t, ENV)
  for (const origin of [
    `${APP}.evil.example`,
    'https://evil.example',
    'http://app.example.com',
    'null',
    '*',
    'capacitor://localhost.evil',
    'ionic://localhost',
    'chrome-extension://ponmlkjihgfedcbaponmlkjihgfedcba',
  ]) {
    for (const response of [await preflight(app, origin), await logIn(app, origin)]) {
      const allowed = Object.keys(response.headers).filter((name) =>
        name.startsWith('access-control-'),
      )
      assert.deepEqual(allowed, [], origin)
      assert.match(response.headers.vary?.toString() ?? '', /\bOrigin\b/)
    }
  }
})

test('without CORS_ORIGINS no route allows another origin', async (t) => {
  const app = await build(t)
  assert.equal((await preflight(app, APP)).statusCode, 404)
  assert.equal((await logIn(app, APP)).headers['access-control-allow-origin'], undefined)
})

test('a preflight lists the methods of its path, and is a 404 for unknown paths', async (t) => {
  const app = await build(t, ENV)
  const me = await preflight(app, APP, '/auth/me')
  assert.deepEqual(me.headers['access-control-allow-methods']?.split(', ').sort(), [
    'DELETE',
    'GET',
    'HEAD',
  ])
  assert.equal((await preflight(app, APP, '/nowhere')).statusCode, 404)
})
