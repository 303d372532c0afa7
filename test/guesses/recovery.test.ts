import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { signUp } from '../support/app-requests.ts'
import { createClock } from '../support/clock.ts'
import { PASSWORD } from '../support/credentials.ts'
import { buildWithMails } from '../support/recovery/mailbox.ts'
import { until } from '../support/until.ts'

const LIMITED = { RATE_LIMIT: 'on', TRUST_PROXY: 'loopback' }
const NEXT = 'a ratchet of another wheel'

/** Every request comes from another address, so that no limit per address applies. */
let last = 0
function post(app: FastifyInstance, url: string, payload?: object, headers = {}) {
  const from = { 'x-forwarded-for': `10.2.${++last >> 8}.${last & 255}` }
  return app.inject({
    method: 'POST',
    url,
    headers: { ...from, ...headers },
    ...(payload && { payload }),
  })
}

async function guess(app: FastifyInstance, email: string, times: number): Promise<void> {
  const wrong = { email, password: 'not the password' }
  await Promise.all(Array.from({ length: times }, () => post(app, '/auth/login', wrong)))
}

test('whoever resets the password gets in, although strangers go on guessing', async (t) => {
  const { app, tokenOf } = await buildWithMails(t, LIMITED, createClock())
  const { email } = await signUp(app)
  await guess(app, email, 50)
  assert.equal((await post(app, '/auth/login', { email, password: PASSWORD })).statusCode, 429)
  assert.equal((await post(app, '/auth/password/forgot', { email })).statusCode, 202)
  const token = await tokenOf('reset-password')
  const reset = await post(app, '/auth/password/reset', { token, newPassword: NEXT })
  assert.equal(reset.statusCode, 204, reset.body)
  await guess(app, email, 50)
  const login = { email, password: NEXT }
  assert.equal((await post(app, '/auth/login', login)).statusCode, 429)
  const headers = { 'x-known-device': String(reset.headers['x-known-device']) }
  assert.equal((await post(app, '/auth/login', login, headers)).statusCode, 200)
})

test('strangers cannot fill a mailbox, nor make every link void', async (t) => {
  const { app, addressesOf } = await buildWithMails(t, LIMITED, createClock())
  const { email, accessToken } = await signUp(app)
  const other = await signUp(app)
  const ask = (address: string) => post(app, '/auth/password/forgot', { email: address })
  const asked = await Promise.all(Array.from({ length: 50 }, () => ask(email)))
  assert.deepEqual(new Set(asked.map(({ statusCode }) => statusCode)), new Set([202]))
  // The mails of a process are queued one after the other.
  await ask(other.email)
  const resets = () => addressesOf('reset-password')
  await until(async () => (await resets()).includes(other.email))
  assert.equal((await resets()).filter((one) => one === email).length, 5)

  const before = (await addressesOf('verify-address')).length
  const headers = { authorization: `Bearer ${accessToken}` }
  for (let i = 0; i < 8; i++) {
    const { statusCode } = await post(app, '/auth/email/verification', undefined, headers)
    assert.equal(statusCode, 202)
  }
  assert.equal((await addressesOf('verify-address')).length - before, 5)
})
