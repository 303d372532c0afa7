import assert from 'node:assert/strict'
import { test } from 'node:test'
import { logIn, signUp } from '../support/app-requests.ts'
import { createClock } from '../support/clock.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { build } from '../support/in-process-server.ts'

test('logins from one address are limited, and the 429 says when to try again', async (t) => {
  const app = await build(t, { RATE_LIMIT: 'on' })
  const responses = []
  for (let i = 0; i < 21; i++) responses.push(await logIn(app, newEmail(), 'a wrong password'))
  assert.ok(responses.slice(0, 20).every(({ statusCode }) => statusCode === 401))
  const last = responses.at(-1)
  assert.equal(last?.statusCode, 429)
  assert.equal(last?.headers['content-type'], 'application/problem+json; charset=utf-8')
  assert.equal(last?.json().code, 'RATE_LIMITED')
  assert.ok(Number(last?.headers['retry-after']) >= 1)
})

test('an account is limited for all addresses and in any case, and a right password is free', async (t) => {
  const app = await build(t, { RATE_LIMIT: 'on', TRUST_PROXY: 'loopback' }, createClock())
  const { email } = await signUp(app)
  const guess = (index: number, password = 'a wrong password') => {
    const headers = { 'x-forwarded-for': `203.0.113.${index}` }
    // The same address in another case is the same account.
    const payload = { email: index % 2 ? email : email.toUpperCase(), password }
    return app.inject({ method: 'POST', url: '/auth/login', headers, payload })
  }
  for (let i = 101; i <= 140; i++) assert.equal((await guess(i, PASSWORD)).statusCode, 200)
  for (let i = 1; i <= 11; i++) assert.equal((await guess(i)).statusCode, 401)
  const refused = await guess(12, PASSWORD)
  assert.equal(refused.statusCode, 429)
  assert.ok(Number(refused.headers['retry-after']) >= 1)
})

test('tokens of mails cannot be guessed in numbers', async (t) => {
  const app = await build(t, { RATE_LIMIT: 'on' })
  for (const [url, more] of [
    ['/auth/password/reset', { newPassword: 'a ratchet of another wheel' }],
    ['/auth/email/verify', {}],
  ] as const) {
    const guess = (index: number) => {
      const payload = { token: String(index).padStart(43, 'A'), ...more }
      return app.inject({ method: 'POST', url, payload })
    }
    for (let i = 0; i < 20; i++) assert.equal((await guess(i)).json().code, 'AUTH_CODE_INVALID')
    const refused = await guess(20)
    assert.deepEqual([refused.statusCode, refused.json().code], [429, 'RATE_LIMITED'])
  }
})
