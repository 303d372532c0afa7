import assert from 'node:assert/strict'
import { test } from 'node:test'
import { logIn, signUp } from '../support/app-requests.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { build } from '../support/in-process-server.ts'

test('guesses from one address are bounded, and the answer says when to come back', async (t) => {
  const app = await build(t, { RATE_LIMIT: 'on' })
  const answers = []
  for (let i = 0; i < 21; i++) answers.push(await logIn(app, newEmail(), 'a wrong password'))
  assert.ok(answers.slice(0, 20).every(({ statusCode }) => statusCode === 401))
  const last = answers.at(-1)
  assert.equal(last?.statusCode, 429)
  assert.equal(last?.headers['content-type'], 'application/problem+json; charset=utf-8')
  assert.equal(last?.json().code, 'RATE_LIMITED')
  assert.ok(Number(last?.headers['retry-after']) >= 1)
})

test('guesses at one account are bounded wherever they come from', async (t) => {
  const app = await build(t, { RATE_LIMIT: 'on', TRUST_PROXY: 'loopback' })
  const { email } = await signUp(app)
  const guess = (index: number, password = 'a wrong password') => {
    const headers = { 'x-forwarded-for': `203.0.113.${index}` }
    // Another case is not another account.
    const payload = { email: index % 2 ? email : email.toUpperCase(), password }
    return app.inject({ method: 'POST', url: '/auth/login', headers, payload })
  }
  // A right password is no guess.
  for (let i = 101; i <= 140; i++) assert.equal((await guess(i, PASSWORD)).statusCode, 200)
  for (let i = 1; i <= 30; i++) assert.equal((await guess(i)).statusCode, 401)
  const refused = await guess(31, PASSWORD)
  assert.equal(refused.statusCode, 429)
  assert.ok(Number(refused.headers['retry-after']) >= 1)
})
