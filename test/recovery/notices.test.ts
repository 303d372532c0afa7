import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import type { MailMessage } from '../../src/mail/mail.ts'
import { call, logIn, refresh, signUp } from '../support/app-requests.ts'
import { createClock } from '../support/clock.ts'
import { problemsOf, production } from '../support/config.ts'
import { PASSWORD } from '../support/credentials.ts'
import { buildHost } from '../support/embedded-host.ts'
import { buildWithMails } from '../support/recovery/mailbox.ts'
import { inject } from '../support/retry-unavailable.ts'
import { temporaryFolder } from '../support/temporary-files.ts'
import { until } from '../support/until.ts'

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
const LIMITED = { RATE_LIMIT: 'on' }

function logInFrom(app: FastifyInstance, email: string, headers: Record<string, string> = {}) {
  const payload = { email, password: PASSWORD }
  return inject(app, { method: 'POST', url: '/auth/login', headers, payload })
}

test('a login from a new device sends a notice, and one from a known device does not', async (t) => {
  const { app, sql, addressesOf } = await buildWithMails(t, LIMITED)
  const { email } = await signUp(app)
  const other = await signUp(app)
  const first = await logInFrom(app, email, { 'user-agent': FIREFOX })
  assert.equal(first.statusCode, 200)
  const proof = { 'x-known-device': String(first.headers['x-known-device']) }
  assert.equal((await logInFrom(app, email, proof)).statusCode, 200)
  // The proof of one account is none for another. Notices are queued in the order of the logins.
  assert.equal((await logInFrom(app, other.email, proof)).statusCode, 200)
  await until(async () => (await addressesOf('new-device')).includes(other.email))
  assert.deepEqual(await addressesOf('new-device'), [email, other.email])
  const [{ facts } = {}] = await sql`
    select facts from mails where purpose = 'new-device' order by seq`
  assert.deepEqual([facts.device, facts.ip], ['Firefox on Linux', '127.0.0.1'])
})

test('the first login of a user sends no notice', async (t) => {
  const { app, sql, addressesOf } = await buildWithMails(t, LIMITED)
  const [first, second] = [await signUp(app), await signUp(app)]
  await sql`
    delete from sessions where user_id in (select id from users where email = ${first.email})`
  for (const { email } of [first, second]) await logInFrom(app, email)
  await until(async () => (await addressesOf('new-device')).length > 0)
  assert.deepEqual(await addressesOf('new-device'), [second.email])
})

test('a theft sends one notice, however often the spent token is presented', async (t) => {
  const clock = createClock()
  const { app, addressesOf } = await buildWithMails(t, {}, clock)
  const { email, refreshToken } = await signUp(app)
  await refresh(app, refreshToken)
  clock.advance(31_000)
  for (let n = 0; n < 3; n++) assert.equal((await refresh(app, refreshToken)).statusCode, 401)
  assert.deepEqual(await addressesOf('theft-found'), [email])
})

test('a notice that is switched off is not sent, and the next mail is', async (t) => {
  const sent: MailMessage[] = []
  const { host } = await buildHost(t, {
    overrides: {
      MAIL_NOTICES: 'theft-found, new-device',
      DATABASE_URL: '',
      REDIS_URL: '',
      PAWL_DATA_DIR: await temporaryFolder(t),
    },
    mail: async (message) => {
      sent.push(message)
    },
  })
  const { email } = await signUp(host)
  const { accessToken } = (await logIn(host, email)).json()
  const payload = { currentPassword: PASSWORD, newPassword: 'a ratchet of another wheel' }
  const changed = await call(host, accessToken, 'POST', '/auth/password', payload)
  assert.equal(changed.statusCode, 200, changed.body)
  await inject(host, { method: 'POST', url: '/auth/password/forgot', payload: { email } })
  // The mails of a user are sent in order.
  await until(() => sent.some(({ purpose }) => purpose === 'reset-password'))
  assert.deepEqual(
    sent.map(({ purpose }) => purpose),
    ['verify-address', 'reset-password'],
  )
})

test('MAIL_NOTICES is none or a list of notices', () => {
  const problems = (MAIL_NOTICES: string) => problemsOf({ ...production(), MAIL_NOTICES })
  for (const good of ['none', 'new-device', 'new-device, theft-found'])
    assert.deepEqual(problems(good), [])
  for (const bad of ['all', 'none,new-device', 'sign-up-exists'])
    assert.equal(problems(bad).length, 1, bad)
})
