import assert from 'node:assert/strict'
import { test } from 'node:test'
import Fastify from 'fastify'
import { loadConfig, pawl } from '../../src/index.ts'
import { call, refresh } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { createClock } from '../support/clock.ts'
import { buildHost } from '../support/embedded-host.ts'
import { environment } from '../support/environment.ts'
import { inject } from '../support/retry-unavailable.ts'

test('a route may demand a recent login, one factor of several, or both', async (t) => {
  const clock = createClock()
  const { host } = await buildHost(t, {
    clock,
    overrides: { ACCESS_TOKEN_TTL: '1h' },
    extend: (app) => {
      app.post('/sign-in', (request, reply) =>
        app.pawl.sessions.start(request, reply, {
          user: { id: crypto.randomUUID() },
          amr: ['pwd', 'otp'],
        }),
      )
      const demands = {
        '/recent': { maxAge: '5m' },
        '/recent-ms': { maxAge: 300_000 },
        '/otp': { amr: ['otp'] },
        '/otp-or-key': { amr: ['hwk', 'otp'] },
        '/key': { amr: ['hwk'] },
        '/recent-admin': { maxAge: '5m', roles: ['admin'] },
      }
      for (const [url, demand] of Object.entries(demands))
        app.get(url, { preHandler: app.authorize(demand) }, async () => 'let in')
    },
  })
  const signedIn = await inject(host, { method: 'POST', url: '/sign-in' })
  const pair = signedIn.json()
  const get = (url: string, token = pair.accessToken) => call(host, token, 'GET', url)
  for (const url of ['/recent', '/recent-ms', '/otp', '/otp-or-key'])
    assert.equal((await get(url)).statusCode, 200, url)

  const key = await get('/key')
  assert.equal(key.statusCode, 401)
  assert.equal(key.json().code, 'AUTH_REAUTHENTICATION_REQUIRED')
  assert.equal(key.headers['www-authenticate'], 'Bearer error="insufficient_user_authentication"')

  clock.advance(299_000)
  assert.equal((await get('/recent')).statusCode, 200)
  clock.advance(3_000)
  const { accessToken } = (await refresh(host, pair.refreshToken)).json()
  for (const token of [pair.accessToken, accessToken])
    for (const url of ['/recent', '/recent-ms']) {
      const late = await get(url, token)
      assert.equal(late.statusCode, 401)
      assert.equal(
        late.headers['www-authenticate'],
        'Bearer error="insufficient_user_authentication", max_age="300"',
      )
    }
  assert.equal((await get('/otp')).statusCode, 200)
  // Logging in again would not help a user who lacks the role.
  assert.equal((await get('/recent-admin')).statusCode, 403)
  assert.equal((await host.inject('/recent')).headers['www-authenticate'], 'Bearer')
})

test('a demand that cannot be understood stops the start', async (t) => {
  const host = Fastify()
  cleanUp(t, () => host.close())
  await host.register(pawl, { config: loadConfig(await environment(t)) })
  for (const maxAge of ['soon', '5', '', 0, -1, 300, '999ms', Number.NaN])
    assert.throws(() => host.authorize({ maxAge }), /maxAge must be a duration/, String(maxAge))
})
