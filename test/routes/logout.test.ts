import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import type { TokenPair } from '../../src/schemas/token-pair.ts'
import { logIn, me, refresh, signUp } from '../support/app-requests.ts'
import { createClock } from '../support/clock.ts'
import { openSql } from '../support/database.ts'
import { environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { inject } from '../support/retry-unavailable.ts'

const bearer = (app: FastifyInstance, token: string) =>
  inject(app, {
    method: 'POST',
    url: '/auth/logout',
    headers: { authorization: `Bearer ${token}` },
  })

const METHODS: Record<
  string,
  (app: FastifyInstance, pair: TokenPair) => ReturnType<typeof bearer>
> = {
  'the access token as bearer': (app, { accessToken }) => bearer(app, accessToken),
  'the refresh token as bearer': (app, { refreshToken }) => bearer(app, refreshToken),
  'the refresh token in the body': (app, { refreshToken }) =>
    inject(app, { method: 'POST', url: '/auth/logout', payload: { refreshToken } }),
}

for (const [how, logOut] of Object.entries(METHODS)) {
  test(`logout with ${how} ends this session at once, and may be repeated`, async (t) => {
    const env = await environment(t)
    const app = await build(t, env)
    const pair = await signUp(app)
    const other = (await logIn(app, pair.email)).json()

    const response = await logOut(app, pair)
    assert.equal(response.statusCode, 204)
    assert.equal(response.body, '')
    assert.equal((await me(app, pair.accessToken)).statusCode, 401)
    assert.equal((await refresh(app, pair.refreshToken)).statusCode, 401)
    assert.equal((await me(app, other.accessToken)).statusCode, 200)
    assert.equal((await logOut(app, pair)).statusCode, 204)

    const sql = openSql(t, env)
    const ended = await sql`select id, revoked_reason from sessions where revoked_at is not null`
    assert.deepEqual([...ended], [{ id: pair.sessionId, revoked_reason: 'logout' }])
  })
}

test('an expired token, or one that was spent long ago, still ends its session', async (t) => {
  // In the past, so that the tokens have expired by the real clock as well.
  const clock = createClock(Date.now() - 86_400_000)
  const app = await build(t, {}, clock)
  const first = await signUp(app)
  clock.advance(3_600_000)
  const second = (await refresh(app, first.refreshToken)).json()
  clock.advance(3_600_000)
  assert.equal((await bearer(app, first.accessToken)).statusCode, 204)
  assert.equal((await refresh(app, second.refreshToken)).statusCode, 401)
  assert.equal((await bearer(app, first.refreshToken)).statusCode, 204)
})

test('a logout by bearer token may have an empty body that is labelled as JSON', async (t) => {
  const app = await build(t)
  const { accessToken } = await signUp(app)
  const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' }
  assert.equal(
    (await inject(app, { method: 'POST', url: '/auth/logout', headers })).statusCode,
    204,
  )
  assert.equal((await me(app, accessToken)).statusCode, 401)
})

test('an access token in place of the refresh token is refused', async (t) => {
  const app = await build(t)
  const { accessToken } = await signUp(app)
  const payload = { refreshToken: accessToken }
  assert.equal((await app.inject({ method: 'POST', url: '/auth/logout', payload })).statusCode, 401)
  assert.equal((await me(app, accessToken)).statusCode, 200)
})

test('a missing token is a 401 without an error, and a forged token a 401 with one', async (t) => {
  const app = await build(t)
  const { accessToken } = await signUp(app)
  const none = await app.inject({ method: 'POST', url: '/auth/logout' })
  assert.equal(none.statusCode, 401)
  assert.equal(none.json().code, 'AUTH_MISSING_TOKEN')
  assert.equal(none.headers['www-authenticate'], 'Bearer')

  const forged = await bearer(app, `${accessToken.slice(0, -4)}AAAA`)
  assert.equal(forged.statusCode, 401)
  assert.equal(forged.json().code, 'AUTH_INVALID_TOKEN')
  assert.equal(forged.headers['www-authenticate'], 'Bearer error="invalid_token"')
  assert.equal((await me(app, accessToken)).statusCode, 200)
})
