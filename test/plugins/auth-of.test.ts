import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authenticate, authOf } from '../../src/index.ts'
import { call, signUp } from '../support/app-requests.ts'
import { buildHost } from '../support/embedded-host.ts'
import { inject } from '../support/retry-unavailable.ts'

test('authOf returns the user of a guarded route, and refuses every call of another', async (t) => {
  const { host } = await buildHost(t, {
    extend(app) {
      const handler = async (request: Parameters<typeof authOf>[0]) => authOf(request)
      app.get('/guarded', { preHandler: authenticate }, handler)
      app.get('/forgotten', handler)
    },
  })
  const { accessToken, sessionId } = await signUp(host)
  const guarded = await call(host, accessToken, 'GET', '/guarded')
  assert.equal(guarded.json().sessionId, sessionId)
  const anonymous = await inject(host, { url: '/guarded' })
  assert.equal(anonymous.statusCode, 401)
  const forgotten = await call(host, accessToken, 'GET', '/forgotten')
  assert.equal(forgotten.statusCode, 401)
  assert.equal(forgotten.json().code, 'AUTH_MISSING_TOKEN')
})
