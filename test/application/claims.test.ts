import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import type { ClaimsCallback, ClaimsSubject } from '../../src/index.ts'
import { call, logIn, refreshOnce, signUp } from '../support/app-requests.ts'
import { createClock } from '../support/clock.ts'
import { PASSWORD } from '../support/credentials.ts'
import { openSql } from '../support/database.ts'
import { buildHost } from '../support/embedded-host.ts'
import { inject } from '../support/retry-unavailable.ts'

function addRoutes(app: FastifyInstance): void {
  app.get('/who', { preHandler: app.authenticate }, async ({ auth }) => auth)
  app.post<{ Body: { id: string; claims: object } }>('/sign-in', (request, reply) => {
    const { id, claims } = request.body
    return app.pawl.sessions.start(request, reply, {
      user: { id },
      amr: ['hwk'],
      claims: { ...claims },
    })
  })
}

const claimsOf = async (host: FastifyInstance, accessToken: string) =>
  (await call(host, accessToken, 'GET', '/who')).json().claims

test('the application adds claims each time that an access token is issued', async (t) => {
  const asked: ClaimsSubject[] = []
  const claims: ClaimsCallback = async (subject) => {
    asked.push(subject)
    return { count: asked.length, tenant: 'acme' }
  }
  const { host } = await buildHost(t, { claims, extend: addRoutes })
  const { accessToken, refreshToken, sessionId, email } = await signUp(host)
  assert.deepEqual(await claimsOf(host, accessToken), { count: 1, tenant: 'acme' })
  const next = (await refreshOnce(host, refreshToken)).json()
  assert.deepEqual(await claimsOf(host, next.accessToken), { count: 2, tenant: 'acme' })
  await logIn(host, email)
  assert.deepEqual(
    asked.map((subject) => [subject.sessionId === sessionId, subject.roles]),
    [
      [true, []],
      [true, []],
      [false, []],
    ],
  )
  const payload = { id: crypto.randomUUID(), claims: { tenant: 'of the session', plan: 'free' } }
  const started = (await inject(host, { method: 'POST', url: '/sign-in', payload })).json()
  assert.deepEqual(await claimsOf(host, started.accessToken), {
    count: 4,
    tenant: 'acme',
    plan: 'free',
  })
})

const FAILURES: Record<string, ClaimsCallback> = {
  'throws at once': () => {
    throw new Error('no tenant')
  },
  rejects: () => Promise.reject(new Error('no tenant')),
  'never returns': () => new Promise(() => {}),
  'returns a reserved claim': async () => ({ sub: 'another user' }),
  'returns too much': async () => ({ text: 'a'.repeat(1_025) }),
  'returns nothing': async () => undefined as never,
  'returns what is no object': async () => 'admin' as never,
}

for (const [name, failure] of Object.entries(FAILURES))
  test(`if the callback ${name}, the response is a 503 and nothing is spent`, async (t) => {
    const clock = createClock()
    let answer: ClaimsCallback = async () => ({ tenant: 'acme' })
    const { host } = await buildHost(t, { claims: (subject) => answer(subject), clock })
    const { refreshToken, email } = await signUp(host)
    answer = failure
    const failed = await refreshOnce(host, refreshToken)
    assert.equal(failed.statusCode, 503, failed.body)
    assert.equal(failed.json().code, 'AUTH_UNAVAILABLE')
    assert.ok(!failed.body.includes('tenant'))
    const login = await host.inject({
      method: 'POST',
      url: '/auth/login',
      payload: { email, password: PASSWORD },
    })
    assert.equal(login.statusCode, 503)
    answer = async () => ({ tenant: 'acme' })
    // Without a retry key, and long after the grace period: a token that was spent would be theft.
    clock.advance(120_000)
    assert.equal((await refreshOnce(host, refreshToken)).statusCode, 200)
  })

test('the callback is told the roles of the user as they are now', async (t) => {
  const told: (readonly string[])[] = []
  const claims: ClaimsCallback = async ({ roles }) => {
    told.push(roles)
    return {}
  }
  const { host, env } = await buildHost(t, { claims })
  const { refreshToken, email } = await signUp(host)
  const [user] = await openSql(t, env)`select id from users where email = ${email}`
  await host.pawl.users.put({ id: user?.id, roles: ['editor'] })
  assert.equal((await refreshOnce(host, refreshToken)).statusCode, 200)
  assert.deepEqual(told, [[], ['editor']])
})

test('a new session of the same login keeps what is constant, and no passing claim', async (t) => {
  let answer: Record<string, unknown> = { trial: true, plan: 'of today' }
  const { host, env } = await buildHost(t, { claims: async () => answer, extend: addRoutes })
  const { email } = await signUp(host)
  const [user] = await openSql(t, env)`select id from users where email = ${email}`
  const payload = { id: user?.id, claims: { tenant: 'acme', plan: 'of the session' } }
  const signedIn = (await inject(host, { method: 'POST', url: '/sign-in', payload })).json()
  assert.deepEqual(await claimsOf(host, signedIn.accessToken), {
    tenant: 'acme',
    trial: true,
    plan: 'of today',
  })
  answer = {}
  const again = await call(host, signedIn.accessToken, 'POST', '/auth/reauthenticate', {
    password: PASSWORD,
  })
  assert.equal(again.statusCode, 200, again.body)
  assert.deepEqual(await claimsOf(host, again.json().accessToken), { tenant: 'acme' })
  const changed = await call(host, again.json().accessToken, 'POST', '/auth/password', {
    currentPassword: PASSWORD,
    newPassword: 'a ratchet of another wheel',
  })
  assert.deepEqual(await claimsOf(host, changed.json().accessToken), { tenant: 'acme' })
})
