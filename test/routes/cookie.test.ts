import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { me, refresh } from '../support/app-requests.ts'
import { createClock } from '../support/clock.ts'
import { PLAIN_NAME, SECURE_NAME, setCookieOf } from '../support/cookies.ts'
import { newEmail, newRetryKey, PASSWORD } from '../support/credentials.ts'
import type { Env } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { inject } from '../support/retry-unavailable.ts'

const ORIGIN = 'https://auth.example.com'
const LOOPBACK: Env = { ISSUER: 'http://localhost:3000' }

interface Given {
  cookie?: string
  payload?: object
  headers?: Record<string, string>
  remoteAddress?: string
}

/** As a page of the server's own origin sends it. */
function post(
  app: FastifyInstance,
  path: string,
  { cookie, payload, headers, remoteAddress }: Given = {},
) {
  return inject(app, {
    method: 'POST',
    url: `/auth/${path}`,
    headers: { origin: ORIGIN, ...(cookie && { cookie }), ...headers },
    ...(payload && { payload }),
    ...(remoteAddress && { remoteAddress }),
  })
}

const BY_COOKIE = { 'x-token-delivery': 'cookie' }

async function signUp(app: FastifyInstance, given: Given = {}): Promise<LightMyRequestResponse> {
  const payload = { email: newEmail(), password: PASSWORD }
  const all = { payload, ...given, headers: { ...BY_COOKIE, ...given.headers } }
  const answer = await post(app, 'signup', all)
  // Told 503 it may have been made.
  return answer.statusCode === 409 ? post(app, 'login', all) : answer
}

test('signup and login hand the refresh token over in a cookie that only their routes get, and no script', async (t) => {
  const app = await build(t)
  const payload = { email: newEmail(), password: PASSWORD }
  const answers = [
    await post(app, 'signup', { payload, headers: BY_COOKIE }),
    await post(app, 'login', { payload, headers: BY_COOKIE }),
  ]
  assert.deepEqual(
    answers.map(({ statusCode }) => statusCode),
    [201, 200],
  )
  for (const answer of answers) {
    const { refreshToken, refreshExpiresIn, accessToken } = answer.json()
    assert.equal(refreshToken, undefined)
    const { name, attributes, value } = setCookieOf(answer)
    assert.equal(name, SECURE_NAME)
    assert.deepEqual(attributes, [
      'HttpOnly',
      `Max-Age=${refreshExpiresIn}`,
      'Path=/auth',
      'SameSite=Strict',
      'Secure',
    ])
    assert.ok(!answer.body.includes(value))
    assert.equal((await me(app, accessToken)).statusCode, 200)
    assert.equal((await refresh(app, value)).statusCode, 200)
  }
})

test('without the header nothing is new: the refresh token is in the body, and no cookie is set', async (t) => {
  const app = await build(t)
  const payload = { email: newEmail(), password: PASSWORD }
  for (const headers of [{}, { 'x-token-delivery': 'body' }]) {
    const answer = await post(app, 'signup', {
      payload: { ...payload, email: newEmail() },
      headers,
    })
    assert.ok(answer.json().refreshToken)
    assert.equal(answer.headers['set-cookie'], undefined)
  }
  const unknown = await post(app, 'signup', { payload, headers: { 'x-token-delivery': 'pigeon' } })
  assert.equal(unknown.json().code, 'VALIDATION_FAILED')
})

test('a refresh by cookie is answered by cookie, and a lost response repaired by its retry key', async (t) => {
  const clock = createClock()
  const app = await build(t, {}, clock)
  const first = setCookieOf(await signUp(app))
  const headers = { 'idempotency-key': newRetryKey() }
  const answer = await post(app, 'refresh', { cookie: `theme=dark; ${first.pair}`, headers })
  assert.equal(answer.statusCode, 200)
  assert.equal(answer.json().refreshToken, undefined)
  const second = setCookieOf(answer)
  assert.notEqual(second.value, first.value)
  assert.ok(second.attributes.includes(`Max-Age=${answer.json().refreshExpiresIn}`))

  clock.advance(3_600_000)
  const again = setCookieOf(await post(app, 'refresh', { cookie: first.pair, headers }))
  assert.equal(again.value, second.value)
  assert.equal((await post(app, 'refresh', { cookie: second.pair })).statusCode, 200)
})

test('a token in the body counts, not the cookie, and is answered as it came or as it asks', async (t) => {
  const app = await build(t)
  const { pair } = setCookieOf(await signUp(app))
  const other = (
    await post(app, 'signup', { payload: { email: newEmail(), password: PASSWORD } })
  ).json()
  const payload = { refreshToken: other.refreshToken }
  const answer = await post(app, 'refresh', { cookie: pair, payload })
  assert.equal(answer.json().sessionId, other.sessionId)
  assert.ok(answer.json().refreshToken)
  assert.equal(answer.headers['set-cookie'], undefined)

  const moved = await post(app, 'refresh', { payload, headers: BY_COOKIE })
  assert.equal(moved.json().refreshToken, undefined)
  assert.equal(setCookieOf(moved).value, answer.json().refreshToken)
})

test('logout by cookie ends the session and clears the cookie; twice is no error', async (t) => {
  const app = await build(t)
  const signup = await signUp(app)
  const { pair } = setCookieOf(signup)
  for (let time = 0; time < 2; time++) {
    const answer = await post(app, 'logout', { cookie: pair })
    assert.equal(answer.statusCode, 204)
    const cleared = setCookieOf(answer)
    assert.deepEqual([cleared.name, cleared.value], [SECURE_NAME, ''])
    assert.deepEqual(cleared.attributes, [
      'HttpOnly',
      'Max-Age=0',
      'Path=/auth',
      'SameSite=Strict',
      'Secure',
    ])
  }
  assert.equal((await me(app, signup.json().accessToken)).statusCode, 401)
  assert.equal((await post(app, 'refresh', { cookie: pair })).statusCode, 401)
})

test('a refused refresh leaves the cookie alone: by then it may be a newer one', async (t) => {
  const app = await build(t)
  const old = setCookieOf(await signUp(app))
  assert.equal((await post(app, 'logout', { cookie: old.pair })).statusCode, 204)
  // The answer to the old one may come after that of the login, whichever was asked first.
  const login = setCookieOf(await signUp(app))
  const late = await post(app, 'refresh', { cookie: old.pair })
  assert.equal(late.statusCode, 401)
  assert.equal(late.headers['set-cookie'], undefined)
  assert.equal((await post(app, 'refresh', { cookie: login.pair })).statusCode, 200)
  const bearer = await post(app, 'logout', {
    cookie: login.pair,
    headers: { authorization: `Bearer ${old.value}` },
  })
  assert.equal(bearer.statusCode, 204)
  assert.equal(bearer.headers['set-cookie'], undefined)
})

test('no cookie is a missing token, and a forged one an invalid token', async (t) => {
  const app = await build(t)
  for (const path of ['refresh', 'logout']) {
    const none = await post(app, path, { cookie: 'theme=dark' })
    assert.equal(none.json().code, 'AUTH_MISSING_TOKEN')
    const forged = await post(app, path, { cookie: `${SECURE_NAME}=e30.e30.e30` })
    assert.equal(forged.statusCode, 401)
    assert.equal(forged.headers['set-cookie'], undefined)
  }
})

const FOREIGN: Record<string, Record<string, string>> = {
  'another origin': { origin: 'https://evil.example' },
  'another port': { origin: `${ORIGIN}:8443` },
  'plain http': { origin: 'http://auth.example.com' },
  'a sandbox': { origin: 'null' },
  'another site': { origin: '', 'sec-fetch-site': 'cross-site' },
  'a sibling': { origin: 'https://evil.example.com', 'sec-fetch-site': 'same-site' },
  'a navigation': { origin: '', 'sec-fetch-site': 'none' },
  'who knows where': { origin: '' },
}

for (const [where, { origin, ...more }] of Object.entries(FOREIGN)) {
  test(`a cookie that was sent from ${where} counts for nothing`, async (t) => {
    const app = await build(t, { CORS_ORIGINS: 'https://app.example.com' })
    const { pair } = setCookieOf(await signUp(app))
    const headers = { cookie: pair, ...(origin && { origin }), ...more }
    for (const path of ['refresh', 'logout']) {
      const answer = await app.inject({ method: 'POST', url: `/auth/${path}`, headers })
      assert.equal(answer.statusCode, 403, path)
      assert.equal(answer.json().code, 'AUTH_ORIGIN_NOT_ALLOWED')
      assert.equal(answer.headers['set-cookie'], undefined)
      assert.equal(answer.headers['access-control-allow-origin'], undefined)
    }
    assert.equal((await post(app, 'refresh', { cookie: pair })).statusCode, 200)
  })
}

test('a page of another origin cannot put its own session into the cookie', async (t) => {
  const app = await build(t)
  const answer = await signUp(app, { headers: { origin: 'https://evil.example' } })
  assert.equal(answer.json().code, 'AUTH_ORIGIN_NOT_ALLOWED')
  assert.equal(answer.headers['set-cookie'], undefined)
})

test('the own page, an allowed origin and a program that is no browser may use the cookie', async (t) => {
  const app = await build(t, {
    CORS_ORIGINS: 'https://app.example.com, https://other.example.com:8443',
  })
  const { pair } = setCookieOf(await signUp(app))
  const fine: Record<string, string>[] = [
    { 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'same-origin', origin: 'https://proxied.example' },
    { 'sec-fetch-site': 'same-site', origin: 'https://app.example.com' },
    { origin: 'https://other.example.com:8443' },
    BY_COOKIE,
  ]
  for (const headers of fine) {
    const answer = await app.inject({
      method: 'POST',
      url: '/auth/refresh',
      headers: { cookie: pair, ...headers },
    })
    assert.equal(answer.statusCode, 200, JSON.stringify(headers))
  }
})

test('a cross-site form changes nothing, whatever it sends', async (t) => {
  const app = await build(t)
  const { pair, value } = setCookieOf(await signUp(app))
  const types = [
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/plain',
  ]
  for (const path of ['signup', 'login', 'refresh', 'logout']) {
    for (const type of types) {
      for (const payload of ['', 'a=b', JSON.stringify({ refreshToken: value })]) {
        const headers = { cookie: pair, origin: 'https://evil.example', 'content-type': type }
        const answer = await app.inject({ method: 'POST', url: `/auth/${path}`, headers, payload })
        assert.ok(answer.statusCode >= 400 && answer.statusCode < 500, `${path} ${type} ${payload}`)
        assert.equal(answer.headers['set-cookie'], undefined)
      }
    }
  }
  assert.equal((await post(app, 'refresh', { cookie: pair })).statusCode, 200)
})

test('on this machine plain http will do: no prefix, not secure, and the own page is trusted', async (t) => {
  const app = await build(t, LOOPBACK)
  for (const host of ['localhost:3000', '127.0.0.1:3000', '[::1]:3000', 'pawl.localhost']) {
    const headers = { host, origin: `http://${host}` }
    const { name, pair, attributes } = setCookieOf(await signUp(app, { headers }))
    assert.equal(name, PLAIN_NAME)
    assert.ok(!attributes.includes('Secure'))
    assert.equal((await post(app, 'refresh', { cookie: pair, headers })).statusCode, 200)
    const foreign = { host, origin: 'http://localhost:5173' }
    assert.equal((await post(app, 'refresh', { cookie: pair, headers: foreign })).statusCode, 403)
  }
})

const NOT_ON_THIS_MACHINE: [string, Env, Given][] = [
  ['a client elsewhere that says localhost', LOOPBACK, { remoteAddress: '192.0.2.1' }],
  ['a name that leads here', LOOPBACK, { headers: { host: 'localhost.example.com' } }],
  ['the public server behind a proxy on its machine', {}, {}],
  [
    'a header of a client elsewhere',
    { ...LOOPBACK, TRUST_PROXY: 'true' },
    {
      remoteAddress: '192.0.2.1',
      headers: {
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-proto': 'http',
        'x-forwarded-host': 'localhost:3000',
      },
    },
  ],
]

for (const [what, env, given] of NOT_ON_THIS_MACHINE) {
  test(`a cookie stays secure for ${what}`, async (t) => {
    const app = await build(t, env)
    const headers = { host: 'localhost:3000', 'sec-fetch-site': 'same-origin', ...given.headers }
    const { name, attributes } = setCookieOf(await signUp(app, { ...given, headers }))
    assert.equal(name, SECURE_NAME)
    assert.ok(attributes.includes('Secure'))
    // And one that is not secure, which anybody on the way may have set, is not read.
    const planted = { cookie: `${PLAIN_NAME}=e30.e30.e30`, ...given, headers }
    assert.equal((await post(app, 'refresh', planted)).json().code, 'AUTH_MISSING_TOKEN')
  })
}
