import assert from 'node:assert/strict'
import { test } from 'node:test'
import { logIn, me, signUp } from '../support/app-requests.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { build } from '../support/in-process-server.ts'

test('a user who has signed up can log in and use the access token', async (t) => {
  const app = await build(t)
  const { email } = await signUp(app)

  const response = await logIn(app, email)
  assert.equal(response.statusCode, 200)
  assert.equal(response.headers['cache-control'], 'no-store')
  const pair = response.json()
  assert.equal(pair.tokenType, 'Bearer')
  assert.equal(pair.expiresIn, 900)
  assert.equal(pair.refreshExpiresIn, 7 * 86_400)

  const user = await me(app, pair.accessToken)
  assert.equal(user.statusCode, 200)
  assert.equal(user.json().email, email)
  assert.equal(user.json().sessionId, pair.sessionId)
})

test('the case of the e-mail address matters neither for login nor for signup', async (t) => {
  const app = await build(t)
  const email = newEmail()
  await signUp(app, email.toUpperCase())

  assert.equal((await logIn(app, email)).statusCode, 200)
  const payload = { email, password: `another ${PASSWORD}` }
  const again = await app.inject({ method: 'POST', url: '/auth/signup', payload })
  assert.equal(again.statusCode, 409)
  assert.equal(again.json().code, 'AUTH_EMAIL_TAKEN')
})

test('a repeated sign-up with the same password starts another session of the account', async (t) => {
  const app = await build(t)
  const { email, accessToken } = await signUp(app)
  const payload = { email: email.toUpperCase(), password: PASSWORD }
  const again = await app.inject({ method: 'POST', url: '/auth/signup', payload })
  assert.equal(again.statusCode, 201)
  const [first, second] = [accessToken, again.json().accessToken].map((token) => me(app, token))
  assert.equal((await first)?.json().id, (await second)?.json().id)
  assert.notEqual((await first)?.json().sessionId, (await second)?.json().sessionId)
})
