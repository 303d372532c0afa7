import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { call, logIn, refresh } from '../support/app-requests.ts'
import { problemsOf, production } from '../support/config.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { buildWithMails } from '../support/recovery/mailbox.ts'
import { inject } from '../support/retry-unavailable.ts'
import { until } from '../support/until.ts'

const post = (app: FastifyInstance, url: string, payload: object) =>
  inject(app, { method: 'POST', url, payload })

/** Builds a server with a user whom an administrator has created. */
async function buildWithUser(t: TestContext, emailVerified?: boolean) {
  const server = await buildWithMails(t, { SIGNUP: 'verified', REQUIRE_VERIFIED_EMAIL: 'on' })
  const { app, sql, tokenOf } = server
  const [admin, email] = [newEmail(), newEmail()]
  await post(app, '/auth/signup', { email: admin, password: PASSWORD })
  await post(app, '/auth/email/verify', { token: await tokenOf('verify-address') })
  await sql`update users set roles = '{admin}' where email = ${admin}`
  const { accessToken } = (await logIn(app, admin)).json()
  const seed = { email, password: PASSWORD, ...(emailVerified !== undefined && { emailVerified }) }
  const created = await call(app, accessToken, 'POST', '/admin/users', seed)
  assert.equal(created.statusCode, 201, created.body)
  return { ...server, email }
}

test('a right password is refused until the address is verified, and a wrong one as ever', async (t) => {
  const { app, sql, email, tokenOf } = await buildWithUser(t)
  const refused = await logIn(app, email)
  assert.deepEqual([refused.statusCode, refused.json().code], [403, 'AUTH_EMAIL_UNVERIFIED'])
  const wrong = await logIn(app, email, 'not the password')
  const unknown = await logIn(app, newEmail(), 'not the password')
  assert.deepEqual([wrong.statusCode, wrong.body], [401, unknown.body])
  const reasons = async () => {
    const failed = await sql`
      select detail from security_events
      where type = 'login_failed' and user_id is not null order by id`
    return failed.map(({ detail }) => detail.reason)
  }
  await until(async () => (await reasons()).length === 2)
  assert.deepEqual(await reasons(), ['email_not_verified', 'wrong_password'])

  await post(app, '/auth/password/forgot', { email })
  const payload = { token: await tokenOf('reset-password'), newPassword: `${PASSWORD} again` }
  await post(app, '/auth/password/reset', payload)
  assert.equal((await logIn(app, email, `${PASSWORD} again`)).statusCode, 200)
})

test('an administrator may say that the address is verified', async (t) => {
  const { app, email } = await buildWithUser(t, true)
  assert.equal((await logIn(app, email)).statusCode, 200)
})

test('a session goes on when the address is not verified any more', async (t) => {
  const { app, sql, email } = await buildWithUser(t, true)
  const { refreshToken } = (await logIn(app, email)).json()
  await sql`update users set email_verified = false where email = ${email}`
  assert.equal((await refresh(app, refreshToken)).statusCode, 200)
  assert.equal((await logIn(app, email)).statusCode, 403)
})

test('it needs a sign-up that starts no session', () => {
  const problems = (SIGNUP: string) =>
    problemsOf({ ...production(), REQUIRE_VERIFIED_EMAIL: 'on', SIGNUP })
  assert.deepEqual(problems('true'), [
    'REQUIRE_VERIFIED_EMAIL needs SIGNUP=verified or SIGNUP=false',
  ])
  assert.deepEqual([...problems('verified'), ...problems('false')], [])
})
