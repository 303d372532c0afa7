import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { build } from '../support/in-process-server.ts'

const APP = 'https://app.example.com'
const ENV = { CORS_ORIGINS: `${APP},http://localhost:5173` }

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

test('a page of an allowed origin may send what the client sends, with cookies, and read the answer', async (t) => {
  const app = await build(t, ENV)
  for (const origin of [APP, 'http://localhost:5173']) {
    const answer = await preflight(app, origin)
    assert.equal(answer.statusCode, 204)
    assert.equal(answer.headers['access-control-allow-origin'], origin)
    assert.equal(answer.headers['access-control-allow-credentials'], 'true')
    assert.equal(answer.headers['access-control-allow-methods'], 'POST')
    for (const name of ['authorization', 'content-type', 'idempotency-key', 'x-token-delivery'])
      assert.ok(answer.headers['access-control-allow-headers']?.split(', ').includes(name), name)

    // Errors as well: what a page cannot read it takes for a broken network.
    const refused = await logIn(app, origin)
    assert.equal(refused.statusCode, 401)
    assert.equal(refused.headers['access-control-allow-origin'], origin)
    assert.equal(refused.headers['access-control-allow-credentials'], 'true')
    assert.match(refused.headers['access-control-expose-headers']?.toString() ?? '', /retry-after/)
  }
})

test('any other origin is told nothing, and caches are told to tell them apart', async (t) => {
  const app = await build(t, ENV)
  for (const origin of [
    `${APP}.evil.example`,
    'https://evil.example',
    'http://app.example.com',
    'null',
    '*',
  ]) {
    for (const answer of [await preflight(app, origin), await logIn(app, origin)]) {
      const allowed = Object.keys(answer.headers).filter((name) =>
        name.startsWith('access-control-'),
      )
      assert.deepEqual(allowed, [], origin)
      assert.match(answer.headers.vary?.toString() ?? '', /\bOrigin\b/)
    }
  }
})

test('without CORS_ORIGINS no route answers for another origin', async (t) => {
  const app = await build(t)
  assert.equal((await preflight(app, APP)).statusCode, 404)
  assert.equal((await logIn(app, APP)).headers['access-control-allow-origin'], undefined)
})

test('each path says its own methods, and a path that is not there has none', async (t) => {
  const app = await build(t, ENV)
  const me = await preflight(app, APP, '/auth/me')
  assert.deepEqual(me.headers['access-control-allow-methods']?.split(', ').sort(), ['GET', 'HEAD'])
  assert.equal((await preflight(app, APP, '/nowhere')).statusCode, 404)
})
