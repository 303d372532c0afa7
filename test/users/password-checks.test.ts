import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dictionary } from '@zxcvbn-ts/language-common'
import { createPasswordPolicy } from '../../src/users/password-policy.ts'
import { logIn, signUp } from '../support/app-requests.ts'
import { createClock } from '../support/clock.ts'
import { newEmail } from '../support/credentials.ts'
import { build } from '../support/in-process-server.ts'

test('A password in another case, cut off or with more around it is wrong', async (t) => {
  const app = await build(t)
  const email = newEmail()
  // Longer than the 72 bytes that bcrypt reads.
  const password = `Ratchet and pawl, ${'wheel and lever, '.repeat(10)}and a spring.`
  const payload = { email, password }
  const { statusCode } = await app.inject({ method: 'POST', url: '/auth/signup', payload })
  assert.equal(statusCode, 201)
  for (const wrong of [
    password.toLowerCase(),
    password.toUpperCase(),
    password.slice(0, -1),
    password.slice(0, 128),
    password.slice(0, 72),
    `${password} `,
    ` ${password}`,
    `${password}.`,
  ])
    assert.equal((await logIn(app, email, wrong)).statusCode, 401, wrong)
  assert.equal((await logIn(app, email, password)).statusCode, 200)
})

test('A password does not expire', async (t) => {
  const clock = createClock()
  const app = await build(t, {}, clock)
  const { email } = await signUp(app)
  clock.advance(10 * 365 * 86_400_000)
  assert.equal((await logIn(app, email)).statusCode, 200)
})

test('The 3,000 most common passwords of a length are refused, as far as the list has them', () => {
  const common = dictionary['passwords-common'].map(String)
  for (const [minimum, expected] of [
    [8, 3_000],
    [15, 41],
  ] as const) {
    const policy = createPasswordPolicy({ passwordMinLength: minimum })
    const long = common.filter((password) => password.length >= minimum).slice(0, 3_000)
    assert.ok(long.length >= expected, String(long.length))
    for (const password of long)
      assert.throws(() => policy.check(password, undefined), { code: 'AUTH_PASSWORD_REJECTED' })
  }
})
