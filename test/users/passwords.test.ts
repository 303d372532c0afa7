import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import argon2 from 'argon2'
import type { FastifyInstance } from 'fastify'
import { logIn, logInOnce, signUp } from '../support/app-requests.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { openSql } from '../support/database.ts'
import { environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'

const signUpWith = (app: FastifyInstance, password: string, email = newEmail()) =>
  app.inject({ method: 'POST', url: '/auth/signup', payload: { email, password } })

test('A new password that is easy to guess is refused with advice on what to change', async (t) => {
  const app = await build(t, { ISSUER: 'https://login.acme-books.example' })
  const email = `grace.hopper-${Math.random().toString(36).slice(2)}@navy.example`
  const refused: Record<string, string[]> = {
    'Use at least 15 characters.': ['seven77', 'x9$Kq2!vLp7#', 'password1', ''.padEnd(14, 'ab')],
    'Use at most 256 characters.': ['x'.repeat(257)],
    'Do not make it from your e-mail address or the name of this service.': [
      email,
      email.toUpperCase(),
      email.split('@')[0]?.padEnd(15, '1') ?? '',
      'acmebooks.example',
      'gracehopper1906',
      'login.acme-books.example',
    ],
    'Do not repeat the same characters or words.': [
      'aaaaaaaaaaaaaaaa',
      'passwordpassword',
      'Summer2026Summer2026',
      '😀'.repeat(15),
    ],
    'It is easy to guess from common passwords. Use several words that are unrelated.': [
      'P4ssw0rd1234567',
      'password12345678',
      'PASSWORD12345678',
      'qwertyuiopasdfgh',
      'iloveyou iloveyou!',
    ],
    'Do not use a row of keys or characters, such as qwerty, abcd or 2468.': ['abcdefghijklmnop'],
  }
  for (const [detail, passwords] of Object.entries(refused))
    for (const password of passwords) {
      const response = await signUpWith(app, password, email)
      assert.equal(response.statusCode, 400, password)
      assert.equal(response.json().code, 'AUTH_PASSWORD_REJECTED', password)
      assert.equal(response.json().detail, detail, password)
      assert.deepEqual(response.json().errors, [{ field: 'password', message: detail }])
    }
})

test('A password without a pattern is accepted at every minimum length', async (t) => {
  const words = randomBytes(48).toString('base64url')
  for (const length of [8, 15, 64]) {
    const app = await build(t, { PASSWORD_MIN_LENGTH: String(length), ISSUER: 'https://a.example' })
    assert.equal((await signUpWith(app, words.slice(0, length))).statusCode, 201)
    assert.equal((await signUpWith(app, words.slice(0, length - 1))).statusCode, 400)
  }
})

test('A new password may have any Unicode characters, up to 256', async (t) => {
  const app = await build(t)
  for (const password of [
    'lowercase letters only',
    '𝓬𝓸𝓻𝓻𝓮𝓬𝓽 🐎 𝓫𝓪𝓽𝓽𝓮𝓻𝔂',
    'пароль из нескольких слов',
    ' leading and trailing ',
    `${randomBytes(96).toString('base64')}${'😀'.repeat(128)}`,
  ]) {
    const email = newEmail()
    assert.equal((await signUpWith(app, password, email)).statusCode, 201, password)
    assert.equal((await logIn(app, email, password)).statusCode, 200, password)
  }
})

test('The length of a password counts characters and not code units', async (t) => {
  const app = await build(t)
  const faces = [...'😀🚀🌲🐎🎻🧭🍋🔭🧵🦉🪁🥁🧊🛶🌋']
  assert.equal((await signUpWith(app, faces.slice(1).join(''))).statusCode, 400)
  assert.equal((await signUpWith(app, faces.join(''))).statusCode, 201)
})

test('A password is the same however a keyboard composes its characters', async (t) => {
  const app = await build(t)
  const email = newEmail()
  await signUpWith(app, 'caf\u00e9 au lait and tea', email)
  assert.equal((await logIn(app, email, 'cafe\u0301 au lait and tea')).statusCode, 200)
})

test('A login replaces an argon2id hash that was made with other parameters', async (t) => {
  const env = await environment(t)
  const sql = openSql(t, env)
  const { email } = await signUp(await build(t, env))
  const hash = async () =>
    (await sql`select password_hash from users where email = ${email}`)[0]?.password_hash
  assert.match(await hash(), /^\$argon2id\$v=19\$m=1024,t=2,p=1\$/)

  const stricter = await build(t, { ...env, ARGON2_MEMORY_KIB: '2048', ARGON2_TIME: '3' })
  assert.equal((await logIn(stricter, email, 'a wrong password')).statusCode, 401)
  assert.match(await hash(), /m=1024,t=2/)
  assert.equal((await logIn(stricter, email)).statusCode, 200)
  assert.match(await hash(), /^\$argon2id\$v=19\$m=2048,t=3,p=1\$/)
  assert.equal((await logIn(stricter, email)).statusCode, 200)
  assert.ok(await argon2.verify(await hash(), PASSWORD))
})

test('Unknown address, wrong password and disabled user get the same response', async (t) => {
  const env = await environment(t)
  const app = await build(t, env)
  const [active, disabled] = [await signUp(app), await signUp(app)]
  await openSql(t, env)`update users set status = 'disabled' where email = ${disabled.email}`

  const responses = [
    await logIn(app, newEmail()),
    await logIn(app, active.email, 'a wrong password'),
    await logIn(app, disabled.email),
    await logIn(app, disabled.email, 'a wrong password'),
  ]
  const comparable = responses.map(({ statusCode, headers: { date: _, ...headers }, body }) => ({
    statusCode,
    headers,
    body,
  }))
  assert.equal(comparable[0]?.statusCode, 401)
  assert.match(comparable[0]?.body ?? '', /AUTH_INVALID_CREDENTIALS/)
  for (const response of comparable) assert.deepEqual(response, comparable[0])
})

test('A flood of logins gets 503, for unknown addresses as for known ones', async (t) => {
  const app = await build(t, { ARGON2_MEMORY_KIB: '8192', ARGON2_TIME: '2' })
  const { email } = await signUp(app)
  for (const address of [email, newEmail()]) {
    const flood = await Promise.all(
      Array.from({ length: 200 }, () => logInOnce(app, address, 'a wrong password')),
    )
    const refused = flood.filter(({ statusCode }) => statusCode === 503)
    const judged = flood.filter(({ statusCode }) => statusCode === 401)
    assert.equal(refused.length + judged.length, flood.length)
    assert.ok(
      refused.length > 0 && judged.length > 0,
      `${refused.length} refused, ${judged.length} judged`,
    )
    assert.equal(refused[0]?.json().code, 'AUTH_OVERLOADED')
    assert.match(String(refused[0]?.headers['retry-after']), /^\d+$/)
  }
  assert.equal((await logIn(app, email)).statusCode, 200)
})

test('A flood of logins from one network displaces no login of another', async (t) => {
  const app = await build(t, { ARGON2_MEMORY_KIB: '8192', ARGON2_TIME: '2' })
  const { email } = await signUp(app)
  const logInFrom = (remoteAddress: string, payload = { email, password: PASSWORD }) =>
    app.inject({ method: 'POST', url: '/auth/login', remoteAddress, payload })
  for (const stranger of ['192.0.2.1', '2001:db8:5::']) {
    const flood = Array.from({ length: 150 }, (_, i) =>
      logInFrom(stranger.includes(':') ? `${stranger}${i.toString(16)}` : stranger, {
        email: newEmail(),
        password: 'a wrong password',
      }),
    )
    const honest = ['198.51.100.7', '198.51.100.8', '2001:db8:6::1'].map((ip) => logInFrom(ip))
    const statuses = (await Promise.all(honest)).map(({ statusCode }) => statusCode)
    assert.deepEqual(statuses, [200, 200, 200])
    const displaced = (await Promise.all(flood)).filter(({ statusCode }) => statusCode === 503)
    assert.ok(displaced.length > 0, stranger)
  }
})

test('Sign-up can be disabled', async (t) => {
  const app = await build(t, { SIGNUP: 'false' })
  const response = await signUpWith(app, PASSWORD)
  assert.equal(response.statusCode, 403)
  assert.equal(response.json().code, 'AUTH_SIGNUP_DISABLED')
})

test('Concurrent sign-ups with one address create one account', async (t) => {
  const env = await environment(t)
  const app = await build(t, env)
  const email = newEmail()
  const responses = await Promise.all(
    Array.from({ length: 10 }, (_, i) => signUpWith(app, `${PASSWORD} ${i}`, email)),
  )
  assert.deepEqual(responses.map(({ statusCode }) => statusCode).sort(), [
    201,
    ...Array(9).fill(409),
  ])
  assert.equal((await openSql(t, env)`select id from users`).length, 1)
})
