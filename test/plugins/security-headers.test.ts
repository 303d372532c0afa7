import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refresh, signUp } from '../support/app-requests.ts'
import { buildHost } from '../support/embedded-host.ts'
import { build } from '../support/in-process-server.ts'
import { inject } from '../support/retry-unavailable.ts'

const EXPECTED = {
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN',
}

test('responses, errors included, forbid browsers to run, frame or sniff them', async (t) => {
  const app = await build(t)
  const { refreshToken } = await signUp(app)
  const responses = [
    await app.inject('/health/ready'),
    await app.inject('/.well-known/jwks.json'),
    await refresh(app, refreshToken),
    await refresh(app, 'none'),
    await app.inject('/auth/me'),
  ]
  assert.deepEqual(
    responses.map(({ statusCode }) => statusCode),
    [200, 200, 200, 401, 401],
  )
  for (const { headers } of responses)
    for (const [name, value] of Object.entries(EXPECTED)) assert.equal(headers[name], value, name)
})

test('in an application, the routes of Pawl have the headers, and no other response has', async (t) => {
  const { host } = await buildHost(t, { prefix: '/api' })
  for (const url of [
    '/api/health/live',
    '/api/auth/me',
    '/.well-known/oauth-authorization-server',
    '/api/.well-known/jwks.json',
  ]) {
    const { headers } = await inject(host, { url })
    for (const [name, value] of Object.entries(EXPECTED)) assert.equal(headers[name], value, url)
  }
  const { headers } = await host.inject('/nowhere')
  for (const name of Object.keys(EXPECTED)) assert.equal(headers[name], undefined, name)
})
