import assert from 'node:assert/strict'
import { test } from 'node:test'
import { call, me, refresh, signUp } from '../support/app-requests.ts'
import { createClock } from '../support/clock.ts'
import { SECURE_NAME } from '../support/cookies.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { build } from '../support/in-process-server.ts'
import { inject } from '../support/retry-unavailable.ts'

const decode = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

test('giving the password again starts a session with a new auth_time, and ends the old one', async (t) => {
  const clock = createClock()
  const app = await build(t, {}, clock)
  const old = await signUp(app)
  clock.advance(120_000)
  const response = await call(app, old.accessToken, 'POST', '/auth/reauthenticate', {
    password: PASSWORD,
  })
  assert.equal(response.statusCode, 200, response.body)
  assert.equal(response.headers['cache-control'], 'no-store')
  const renewed = response.json()
  const [before, after] = [decode(old.accessToken), decode(renewed.accessToken)]
  assert.equal(after.auth_time - before.auth_time, 120)
  assert.notEqual(after.sid, before.sid)
  assert.deepEqual(after.amr, ['pwd'])
  assert.equal((await me(app, old.accessToken)).statusCode, 401)
  assert.equal((await refresh(app, old.refreshToken)).statusCode, 401)
  assert.equal((await me(app, renewed.accessToken)).statusCode, 200)
  const next = (await refresh(app, renewed.refreshToken)).json()
  assert.equal(decode(next.accessToken).auth_time, after.auth_time)
})

test('a wrong password changes nothing, and counts as a guess', async (t) => {
  const app = await build(t, { RATE_LIMIT: 'on' })
  const { accessToken, refreshToken } = await signUp(app)
  // From many addresses, because each of them has a limit of its own.
  const guess = (index: number, password: string) =>
    app.inject({
      method: 'POST',
      url: '/auth/reauthenticate',
      headers: { authorization: `Bearer ${accessToken}` },
      payload: { password },
      remoteAddress: `192.0.2.${index}`,
    })
  for (let index = 1; index <= 10; index++) {
    const { statusCode, body } = await guess(index, 'not the password')
    assert.deepEqual([statusCode, JSON.parse(body).code], [403, 'AUTH_WRONG_PASSWORD'])
  }
  assert.equal((await guess(11, PASSWORD)).statusCode, 429)
  assert.equal((await me(app, accessToken)).statusCode, 200)
  assert.equal((await refresh(app, refreshToken)).statusCode, 200)
})

test('a session by cookie goes on by cookie', async (t) => {
  const app = await build(t)
  const own = { origin: 'https://auth.example.com' }
  const signedUp = await inject(app, {
    method: 'POST',
    url: '/auth/signup',
    payload: { email: newEmail(), password: PASSWORD },
    headers: { ...own, 'x-token-delivery': 'cookie' },
  })
  const cookie = String(signedUp.headers['set-cookie']).split(';')[0] ?? ''
  const response = await app.inject({
    method: 'POST',
    url: '/auth/reauthenticate',
    payload: { password: PASSWORD },
    headers: { ...own, cookie, authorization: `Bearer ${signedUp.json().accessToken}` },
  })
  assert.equal(response.statusCode, 200, response.body)
  assert.ok(String(response.headers['set-cookie']).startsWith(`${SECURE_NAME}=ey`))
  assert.equal(response.json().refreshToken, undefined)
})
