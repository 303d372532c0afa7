import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { call, logIn, me, refresh, signUp } from '../support/app-requests.ts'
import { createClock } from '../support/clock.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { adminToken } from '../support/events/scenarios.ts'
import { buildWithMails } from '../support/recovery/mailbox.ts'
import { inject } from '../support/retry-unavailable.ts'

const NEXT = 'a ratchet of another wheel'

const post = (app: FastifyInstance, url: string, payload: object) =>
  inject(app, { method: 'POST', url, payload })
const forget = (app: FastifyInstance, email: string) =>
  post(app, '/auth/password/forgot', { email })
const reset = (app: FastifyInstance, token: string, newPassword = NEXT) =>
  post(app, '/auth/password/reset', { token, newPassword })

test('a reset sets the password, ends every session, verifies the address and sends a notice', async (t) => {
  const { app, sql, tokenOf, addressesOf } = await buildWithMails(t)
  const first = await signUp(app)
  const second = (await logIn(app, first.email)).json()
  const forgotten = await forget(app, first.email.toUpperCase())
  assert.equal(forgotten.statusCode, 202)
  assert.equal(forgotten.headers['cache-control'], 'no-store')
  const token = await tokenOf('reset-password')
  const stored = await sql`select codes::text as row from codes`
  assert.ok(!JSON.stringify(stored).includes(token), 'only the hash of a token is stored')

  assert.equal((await reset(app, token)).statusCode, 204)
  for (const old of [first, second]) {
    assert.equal((await me(app, old.accessToken)).statusCode, 401)
    assert.equal((await refresh(app, old.refreshToken)).statusCode, 401)
  }
  assert.equal((await logIn(app, first.email)).statusCode, 401)
  const renewed = (await logIn(app, first.email, NEXT)).json()
  assert.equal((await me(app, renewed.accessToken)).json().emailVerified, true)
  assert.deepEqual(await addressesOf('password-reset'), [first.email])
  const types = await sql`
    select session_id from security_events where type = 'password_reset' and ip = '127.0.0.1'`
  assert.equal(types.length, 1)
  const again = await reset(app, token, `${NEXT} again`)
  assert.deepEqual([again.statusCode, again.json().code], [400, 'AUTH_CODE_INVALID'])
})

test('nothing tells whether there is an account, and nobody else gets a mail', async (t) => {
  const { app, sql, addressesOf, tokenOf } = await buildWithMails(t)
  const [known, disabled, passwordless] = [await signUp(app), await signUp(app), await signUp(app)]
  await sql`update users set status = 'disabled' where email = ${disabled.email}`
  await sql`update users set password_hash = null where email = ${passwordless.email}`
  const emails = [newEmail(), disabled.email, passwordless.email, known.email]
  const responses = []
  for (const email of emails) responses.push(await forget(app, email))
  const shapes = responses.map(({ statusCode, body, headers }) => {
    const { date: _, ...rest } = headers
    return JSON.stringify([statusCode, body, Object.keys(rest)])
  })
  assert.equal(new Set(shapes).size, 1, shapes.join('\n'))
  // The mails are queued in the order of the requests, so the others would have come by now.
  await tokenOf('reset-password')
  assert.deepEqual(await addressesOf('reset-password'), [])
})

test('a later code, a change of the password or of the address, and time void a code', async (t) => {
  const clock = createClock()
  const { app, sql, tokenOf } = await buildWithMails(t, {}, clock)
  const { email, accessToken } = await signUp(app)
  const next = async () => {
    await forget(app, email)
    return tokenOf('reset-password')
  }
  const isRefused = async (token: string) => {
    const { statusCode, body } = await reset(app, token, `${NEXT} ${token.slice(0, 4)}`)
    assert.deepEqual([statusCode, JSON.parse(body).code], [400, 'AUTH_CODE_INVALID'])
  }
  const replaced = await next()
  const changed = await next()
  await isRefused(replaced)
  const change = { currentPassword: PASSWORD, newPassword: NEXT }
  assert.equal((await call(app, accessToken, 'POST', '/auth/password', change)).statusCode, 200)
  await isRefused(changed)

  const moved = await next()
  await sql`update users set email = 'elsewhere@example.com'`
  await isRefused(moved)
  await sql`update users set email = ${email}`

  const disabled = await next()
  await sql`update users set status = 'disabled'`
  await isRefused(disabled)
  await sql`update users set status = 'active'`

  const expired = await next()
  clock.advance(3_600_000)
  await isRefused(expired)
  await isRefused('A'.repeat(43))
  const inTime = await next()
  clock.advance(3_599_999)
  assert.equal((await reset(app, inTime, `${NEXT} in time`)).statusCode, 204)
})

test('a code is for one purpose', async (t) => {
  const { app, tokenOf } = await buildWithMails(t)
  const { email, accessToken } = await signUp(app)
  const verification = await tokenOf('verify-address')
  assert.equal((await reset(app, verification)).json().code, 'AUTH_CODE_INVALID')
  await forget(app, email)
  const token = await tokenOf('reset-password')
  const wrong = await post(app, '/auth/email/verify', { token })
  assert.equal(wrong.json().code, 'AUTH_CODE_INVALID')
  assert.equal((await me(app, accessToken)).json().emailVerified, false)
  assert.equal((await reset(app, token)).statusCode, 204)
})

test('a password that is not acceptable does not use up the code', async (t) => {
  const { app, tokenOf } = await buildWithMails(t)
  const { email } = await signUp(app)
  await forget(app, email)
  const token = await tokenOf('reset-password')
  const weak = await reset(app, token, 'password')
  assert.deepEqual([weak.statusCode, weak.json().code], [400, 'AUTH_PASSWORD_REJECTED'])
  assert.equal(weak.json().errors[0].field, 'newPassword')
  assert.equal((await reset(app, token)).statusCode, 204)
})

test('of many resets with one token at once, exactly one succeeds', async (t) => {
  const { app, tokenOf } = await buildWithMails(t)
  const { email } = await signUp(app)
  await forget(app, email)
  const token = await tokenOf('reset-password')
  const words = Array.from({ length: 8 }, (_, index) => `${NEXT} number ${index}`)
  const responses = await Promise.all(words.map((word) => reset(app, token, word)))
  const winners = words.filter((_, index) => responses[index]?.statusCode === 204)
  assert.equal(winners.length, 1, responses.map(({ statusCode }) => statusCode).join())
  for (const { statusCode } of responses) assert.ok([204, 400].includes(statusCode))
  assert.equal((await logIn(app, email, winners[0])).statusCode, 200)
})

test('a change of the password sends a notice, and one that is refused does not', async (t) => {
  const { app, addressesOf } = await buildWithMails(t)
  const { email, accessToken } = await signUp(app)
  const change = (currentPassword: string) =>
    call(app, accessToken, 'POST', '/auth/password', { currentPassword, newPassword: NEXT })
  assert.equal((await change('not the password')).statusCode, 403)
  assert.deepEqual(await addressesOf('password-changed'), [])
  assert.equal((await change(PASSWORD)).statusCode, 200)
  assert.deepEqual(await addressesOf('password-changed'), [email])
})

test('an administrator starts a reset, and learns neither token nor password', async (t) => {
  const { app, sql, tokenOf } = await buildWithMails(t)
  const token = await adminToken(app, sql)
  const { email } = await signUp(app)
  // A user without a password gets one in this way.
  await sql`update users set password_hash = null where email = ${email}`
  const [user] = await sql`select id from users where email = ${email}`
  const url = `/admin/users/${user?.id}/password-reset`
  const response = await call(app, token, 'POST', url)
  assert.deepEqual([response.statusCode, response.body], [202, ''])
  assert.equal((await reset(app, await tokenOf('reset-password'))).statusCode, 204)
  assert.equal((await logIn(app, email, NEXT)).statusCode, 200)
  const [event] = await sql`select * from security_events where type = 'admin_action'`
  assert.deepEqual(event?.detail, { action: 'password_reset_started', via: 'api' })
  assert.equal(event?.user_id, user?.id)

  await sql`update users set status = 'disabled' where email = ${email}`
  assert.equal((await call(app, token, 'POST', url)).statusCode, 404)
  const unknown = await call(app, token, 'POST', '/admin/users/nobody/password-reset')
  assert.equal(unknown.statusCode, 404)
})

test('a reset gets through when strangers have used up the guesses at the account', async (t) => {
  const { app, tokenOf } = await buildWithMails(t, { RATE_LIMIT: 'on' })
  const { email } = await signUp(app)
  const attempt = (password: string, index: number) =>
    app.inject({
      method: 'POST',
      url: '/auth/login',
      payload: { email, password },
      remoteAddress: `192.0.2.${index}`,
    })
  let guesses = 0
  while ((await attempt('a wrong guess', ++guesses)).statusCode !== 429) assert.ok(guesses < 200)
  assert.equal((await attempt(PASSWORD, 201)).statusCode, 429)
  await forget(app, email)
  assert.equal((await reset(app, await tokenOf('reset-password'))).statusCode, 204)
  assert.equal((await attempt(NEXT, 201)).statusCode, 200)
})
