import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { call, logIn, me, signUp } from '../support/app-requests.ts'
import { createClock } from '../support/clock.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { buildWithMails } from '../support/recovery/mailbox.ts'
import { inject } from '../support/retry-unavailable.ts'
import { until } from '../support/until.ts'

const verify = (app: FastifyInstance, token: string) =>
  inject(app, { method: 'POST', url: '/auth/email/verify', payload: { token } })
const change = (app: FastifyInstance, accessToken: string, payload: object) =>
  call(app, accessToken, 'POST', '/auth/email', payload)

test('the link of the mail verifies the address once, and a repeated mail replaces it', async (t) => {
  const { app, sql, tokenOf, addressesOf } = await buildWithMails(t)
  const { email, accessToken } = await signUp(app)
  assert.equal((await me(app, accessToken)).json().emailVerified, false)
  const first = await tokenOf('verify-address')
  const again = await call(app, accessToken, 'POST', '/auth/email/verification')
  assert.equal(again.statusCode, 202)
  const token = await tokenOf('verify-address')
  assert.equal((await verify(app, first)).json().code, 'AUTH_CODE_INVALID')
  assert.equal((await verify(app, token)).statusCode, 204)
  assert.equal((await verify(app, token)).json().code, 'AUTH_CODE_INVALID')
  // Verification takes no rights away, so the access token stays valid.
  assert.equal((await me(app, accessToken)).json().emailVerified, true)
  const events = await sql`select type from security_events where type like 'email%'`
  assert.deepEqual([...events], [{ type: 'email_verified' }])

  await call(app, accessToken, 'POST', '/auth/email/verification')
  assert.deepEqual(await addressesOf('verify-address'), [])
  assert.equal((await logIn(app, email)).statusCode, 200)
})

test('a new address is in force when its link is used, and the old one is notified', async (t) => {
  const { app, sql, tokenOf, addressesOf } = await buildWithMails(t)
  const { email, accessToken } = await signUp(app)
  const next = newEmail()
  const requested = await change(app, accessToken, { email: next, currentPassword: PASSWORD })
  assert.equal(requested.statusCode, 202)
  assert.equal((await me(app, accessToken)).json().email, email)
  const token = await tokenOf('change-address')
  assert.equal((await verify(app, token)).statusCode, 204)
  const { email: current, emailVerified } = (await me(app, accessToken)).json()
  assert.deepEqual([current, emailVerified], [next, true])
  assert.deepEqual(await addressesOf('address-changed'), [email])
  assert.equal((await logIn(app, email)).statusCode, 401)
  assert.equal((await logIn(app, next)).statusCode, 200)
  const events = await sql`select type from security_events where type like 'email%' order by id`
  assert.deepEqual(
    events.map(({ type }) => type),
    ['email_changed', 'email_verified'],
  )
})

test('a change of the address needs the password, or a login five minutes ago at most', async (t) => {
  const clock = createClock()
  const { app, addressesOf } = await buildWithMails(t, {}, clock)
  const { accessToken } = await signUp(app)
  const wrong = await change(app, accessToken, { email: newEmail(), currentPassword: 'a guess' })
  assert.deepEqual([wrong.statusCode, wrong.json().code], [403, 'AUTH_WRONG_PASSWORD'])
  assert.equal((await change(app, accessToken, { email: newEmail() })).statusCode, 202)
  clock.advance(301_000)
  const late = await change(app, accessToken, { email: newEmail() })
  assert.deepEqual([late.statusCode, late.json().code], [401, 'AUTH_REAUTHENTICATION_REQUIRED'])
  assert.match(String(late.headers['www-authenticate']), /max_age="?300/)
  const byPassword = { email: newEmail(), currentPassword: PASSWORD }
  assert.equal((await change(app, accessToken, byPassword)).statusCode, 202)
  assert.equal((await addressesOf('change-address')).length, 2)
})

test('an address of another user cannot be taken over, and its owner gets no mail', async (t) => {
  const { app, sql, codes, tokenOf } = await buildWithMails(t)
  const [user, owner] = [await signUp(app), await signUp(app)]
  const { statusCode } = await change(app, user.accessToken, { email: owner.email })
  assert.equal(statusCode, 202)
  const [mail] = await sql`select user_id from mails where purpose = 'change-address'`
  const request = {
    purpose: 'change-address',
    userId: mail?.user_id,
    address: owner.email,
  } as const
  assert.equal(await codes.issue(request), undefined)

  const wanted = newEmail()
  await sql`delete from mails`
  await change(app, user.accessToken, { email: wanted })
  const token = await tokenOf('change-address')
  await signUp(app, wanted)
  const response = await verify(app, token)
  assert.deepEqual([response.statusCode, response.json().code], [409, 'AUTH_EMAIL_TAKEN'])
  assert.equal((await me(app, user.accessToken)).json().email, user.email)
})

test('users delete their own account soon after a login, and its mails go with it', async (t) => {
  const clock = createClock()
  const { app, sql } = await buildWithMails(t, {}, clock)
  const { email, accessToken } = await signUp(app)
  clock.advance(301_000)
  const late = await call(app, accessToken, 'DELETE', '/auth/me')
  assert.deepEqual([late.statusCode, late.json().code], [401, 'AUTH_REAUTHENTICATION_REQUIRED'])
  const recent = (await logIn(app, email)).json()
  assert.equal((await call(app, recent.accessToken, 'DELETE', '/auth/me')).statusCode, 204)
  assert.equal((await me(app, recent.accessToken)).statusCode, 401)
  assert.equal((await logIn(app, email)).statusCode, 401)
  assert.equal((await sql`select 1 from mails`).length, 0)
  await until(
    async () =>
      (await sql`select 1 from security_events where type = 'account_deleted'`).length === 1,
  )
})

test('the last administrator cannot delete their own account', async (t) => {
  const { app, sql } = await buildWithMails(t)
  const { email } = await signUp(app)
  await sql`update users set roles = '{admin}'`
  const { accessToken } = (await logIn(app, email)).json()
  const response = await call(app, accessToken, 'DELETE', '/auth/me')
  assert.deepEqual([response.statusCode, response.json().code], [409, 'ADMIN_REQUIRED'])
})

test('codes that have expired are deleted, and no others', async (t) => {
  const clock = createClock()
  const { app, sql, codes, tokenOf } = await buildWithMails(t, {}, clock)
  const { email } = await signUp(app)
  const token = await tokenOf('verify-address')
  const [user] = await sql`select id from users`
  await codes.issue({ purpose: 'reset-password', userId: user?.id, address: email })
  clock.advance(3_600_001)
  assert.equal(await codes.deleteExpired(), 1)
  assert.equal(await codes.deleteExpired(), 0)
  assert.equal((await verify(app, token)).statusCode, 204)
})
