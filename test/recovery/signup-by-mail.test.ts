import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import type { MailMessage } from '../../src/mail/mail.ts'
import { deleteUnusedSignups } from '../../src/recovery/unused-signups.ts'
import { logIn, me } from '../support/app-requests.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { buildHost } from '../support/embedded-host.ts'
import { buildWithMails } from '../support/recovery/mailbox.ts'
import { inject } from '../support/retry-unavailable.ts'
import { temporaryFolder } from '../support/temporary-files.ts'
import { until } from '../support/until.ts'

const BY_MAIL = { SIGNUP: 'verified' }
const OTHER = 'a ratchet of another wheel'

const post = (app: FastifyInstance, url: string, payload: object) =>
  inject(app, { method: 'POST', url, payload })
const signUp = (app: FastifyInstance, email: string, password = PASSWORD) =>
  post(app, '/auth/signup', { email, password })
const verify = (app: FastifyInstance, token: string) => post(app, '/auth/email/verify', { token })

test('an account made by mail is closed until its link is used, and then open', async (t) => {
  const { app, sql, tokenOf } = await buildWithMails(t, BY_MAIL)
  const email = newEmail()
  const { statusCode, body } = await signUp(app, email)
  assert.deepEqual([statusCode, body], [202, ''])
  const token = await tokenOf('verify-address')
  const early = await logIn(app, email)
  const unknown = await logIn(app, newEmail())
  assert.deepEqual([early.statusCode, early.body], [401, unknown.body])
  assert.equal((await sql`select 1 from security_events where type = 'signup'`).length, 0)

  assert.equal((await verify(app, token)).statusCode, 204)
  const { accessToken } = (await logIn(app, email)).json()
  assert.equal((await me(app, accessToken)).json().emailVerified, true)
  const events = await sql`select type from security_events where user_id is not null order by id`
  const types = events.map(({ type }) => type)
  assert.deepEqual(types.slice(0, 2), ['signup', 'email_verified'])
})

test('the responses to all sign-ups are equal but for the date, and the owner gets a mail', async (t) => {
  const { app, sql, tokenOf, addressesOf } = await buildWithMails(t, BY_MAIL)
  const [known, pending, disabled] = [newEmail(), newEmail(), newEmail()]
  for (const email of [known, disabled]) {
    await signUp(app, email)
    await verify(app, await tokenOf('verify-address'))
  }
  await sql`update users set status = 'disabled' where email = ${disabled}`
  await signUp(app, pending)
  const responses = []
  for (const email of [newEmail(), known, known.toUpperCase(), pending, disabled])
    for (const password of [PASSWORD, OTHER]) responses.push(await signUp(app, email, password))
  const shapes = responses.map(({ statusCode, headers: { date: _, ...headers }, rawPayload }) =>
    JSON.stringify([statusCode, headers, rawPayload.toString('hex')]),
  )
  assert.equal(new Set(shapes).size, 1, shapes.join('\n'))
  // Mails are queued in the order of the requests.
  const last = newEmail()
  await signUp(app, last)
  await until(async () => (await addressesOf('verify-address')).includes(last))
  assert.deepEqual(await addressesOf('sign-up-exists'), Array(4).fill(known))
  const verifications = await addressesOf('verify-address')
  assert.equal(verifications.filter((address) => address === pending).length, 3)
  // The account of the owner is as it was.
  assert.equal((await logIn(app, known)).statusCode, 200)
  assert.equal((await logIn(app, known, OTHER)).statusCode, 401)
})

test('the password of an account is that of the last sign-up before its link is used', async (t) => {
  const { app, tokenOf } = await buildWithMails(t, BY_MAIL)
  const email = newEmail()
  await signUp(app, email, OTHER)
  const ofAttacker = await tokenOf('verify-address')
  await signUp(app, email)
  const ofOwner = await tokenOf('verify-address')
  assert.equal((await verify(app, ofAttacker)).statusCode, 400)
  assert.equal((await verify(app, ofOwner)).statusCode, 204)
  assert.equal((await logIn(app, email, OTHER)).statusCode, 401)
  assert.equal((await logIn(app, email)).statusCode, 200)
  await signUp(app, email, OTHER)
  assert.equal((await logIn(app, email)).statusCode, 200)
})

test('a sign-up whose mail is one too many replaces the password all the same', async (t) => {
  const { app, sql, tokenOf } = await buildWithMails(t, { ...BY_MAIL, RATE_LIMIT: 'on' })
  const email = newEmail()
  const hashOf = async () =>
    (await sql`select password_hash from users where email = ${email}`)[0]?.password_hash
  for (let n = 0; n < 5; n++) await signUp(app, email, OTHER)
  await until(async () => (await sql`select 1 from mails`).length === 5)
  const ofAttacker = await tokenOf('verify-address')
  const before = await hashOf()
  assert.equal((await signUp(app, email)).statusCode, 202)
  await until(async () => (await hashOf()) !== before)
  assert.equal((await sql`select 1 from mails`).length, 0)
  assert.equal((await verify(app, ofAttacker)).statusCode, 400)
})

test('a password that is not acceptable is rejected, whoever has the address', async (t) => {
  const { app, tokenOf } = await buildWithMails(t, BY_MAIL)
  const known = newEmail()
  await signUp(app, known)
  await verify(app, await tokenOf('verify-address'))
  for (const email of [known, newEmail()]) {
    const { statusCode, body } = await signUp(app, email, 'password')
    const { code, errors } = JSON.parse(body)
    assert.deepEqual([statusCode, code], [400, 'AUTH_PASSWORD_REJECTED'])
    assert.equal(errors[0].field, 'password')
  }
})

test('a reset by mail opens a pending account with the new password', async (t) => {
  const { app, sql, tokenOf } = await buildWithMails(t, BY_MAIL)
  const email = newEmail()
  await signUp(app, email, OTHER)
  await tokenOf('verify-address')
  await post(app, '/auth/password/forgot', { email })
  const token = await tokenOf('reset-password')
  const reset = await post(app, '/auth/password/reset', { token, newPassword: PASSWORD })
  assert.equal(reset.statusCode, 204)
  assert.equal((await logIn(app, email, OTHER)).statusCode, 401)
  assert.equal((await logIn(app, email)).statusCode, 200)
  assert.equal((await sql`select 1 from security_events where type = 'signup'`).length, 1)
})

test('a pending account that nobody needs is deleted after two days', async (t) => {
  const { app, sql, database, tokenOf } = await buildWithMails(t, BY_MAIL)
  const [old, recent, verified] = [newEmail(), newEmail(), newEmail()]
  await signUp(app, verified)
  await verify(app, await tokenOf('verify-address'))
  for (const email of [old, recent]) {
    await signUp(app, email)
    await tokenOf('verify-address')
  }
  await sql`
    update users set updated_at = now() - interval '2 days 1 minute'
    where email in (${old}, ${verified})`
  assert.equal(await deleteUnusedSignups(database), 1)
  const left = await sql`select email from users order by email`
  assert.deepEqual(new Set(left.map(({ email }) => email)), new Set([recent, verified]))
})

test('the embedded default signs up by mail, and the mail leaves at once', async (t) => {
  const sent: MailMessage[] = []
  const { host } = await buildHost(t, {
    overrides: {
      ...BY_MAIL,
      DATABASE_URL: '',
      REDIS_URL: '',
      PAWL_DATA_DIR: await temporaryFolder(t),
    },
    mail: async (message) => {
      sent.push(message)
    },
  })
  const email = newEmail()
  assert.equal((await signUp(host, email)).statusCode, 202)
  await until(() => sent.length === 1)
  assert.equal((await logIn(host, email)).statusCode, 401)
  const fragment = new URL(sent[0]?.link ?? '').hash.slice(1)
  const token = new URLSearchParams(fragment).get('token') ?? ''
  assert.equal((await verify(host, token)).statusCode, 204)
  assert.equal((await logIn(host, email)).statusCode, 200)
  assert.equal((await signUp(host, email)).statusCode, 202)
  await until(() => sent.length === 2)
  assert.equal(sent[1]?.purpose, 'sign-up-exists')
})
