import assert from 'node:assert/strict'
import { test } from 'node:test'
import { me, refresh } from '../support/app-requests.ts'
import { createClock } from '../support/clock.ts'
import { BY_COOKIE, ORIGIN, type PostOptions, post, signUp } from '../support/cookie-requests.ts'
import { PLAIN_NAME, SECURE_NAME, setCookieOf } from '../support/cookies.ts'
import { newEmail, newRetryKey, PASSWORD } from '../support/credentials.ts'
import type { Env } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'

const LOOPBACK: Env = { ISSUER: 'http://localhost:3000' }

test('signup and login put the refresh token in a cookie that no script can read', async (t) => {
  const app = await build(t)
  const payload = { email: newEmail(), password: PASSWORD }
  const responses = [
    await post(app, 'signup', { payload, headers: BY_COOKIE }),
    await post(app, 'login', { payload, headers: BY_COOKIE }),
  ]
  assert.deepEqual(
    responses.map(({ statusCode }) => statusCode),
    [201, 200],
  )
  for (const response of responses) {
    const { refreshToken, refreshExpiresIn, accessToken } = response.json()
    assert.equal(refreshToken, undefined)
    const { name, attributes, value } = setCookieOf(response)
    assert.equal(name, SECURE_NAME)
    assert.deepEqual(attributes, [
      'HttpOnly',
      `Max-Age=${refreshExpiresIn}`,
      'Path=/',
      'SameSite=Strict',
      'Secure',
    ])
    assert.ok(!response.body.includes(value))
    assert.equal((await me(app, accessToken)).statusCode, 200)
    assert.equal((await refresh(app, value)).statusCode, 200)
  }
})

test('without the header the refresh token is in the body, and no cookie is set', async (t) => {
  const app = await build(t)
  const payload = { email: newEmail(), password: PASSWORD }
  for (const headers of [{}, { 'x-token-delivery': 'body' }]) {
    const response = await post(app, 'signup', {
      payload: { ...payload, email: newEmail() },
      headers,
    })
    assert.ok(response.json().refreshToken)
    assert.equal(response.headers['set-cookie'], undefined)
  }
  const unknown = await post(app, 'signup', { payload, headers: { 'x-token-delivery': 'unknown' } })
  assert.equal(unknown.json().code, 'VALIDATION_FAILED')
})

test('a refresh by cookie gets a cookie, and its retry key repairs a lost response', async (t) => {
  const clock = createClock()
  const app = await build(t, {}, clock)
  const first = setCookieOf(await signUp(app))
  const headers = { 'idempotency-key': newRetryKey() }
  const response = await post(app, 'refresh', { cookie: `theme=dark; ${first.pair}`, headers })
  assert.equal(response.statusCode, 200)
  assert.equal(response.json().refreshToken, undefined)
  const second = setCookieOf(response)
  assert.notEqual(second.value, first.value)
  assert.ok(second.attributes.includes(`Max-Age=${response.json().refreshExpiresIn}`))

  clock.advance(3_600_000)
  const again = setCookieOf(await post(app, 'refresh', { cookie: first.pair, headers }))
  assert.equal(again.value, second.value)
  assert.equal((await post(app, 'refresh', { cookie: second.pair })).statusCode, 200)
})

test('a token in the body wins over the cookie, and its successor is in the body', async (t) => {
  const app = await build(t)
  const { pair } = setCookieOf(await signUp(app))
  const other = (
    await post(app, 'signup', { payload: { email: newEmail(), password: PASSWORD } })
  ).json()
  const payload = { refreshToken: other.refreshToken }
  const response = await post(app, 'refresh', { cookie: pair, payload })
  assert.equal(response.json().sessionId, other.sessionId)
  assert.ok(response.json().refreshToken)
  assert.equal(response.headers['set-cookie'], undefined)

  const moved = await post(app, 'refresh', { payload, headers: BY_COOKIE })
  assert.equal(moved.json().refreshToken, undefined)
  assert.equal(setCookieOf(moved).value, response.json().refreshToken)
})

test('logout by cookie ends the session and clears the cookie, and may be repeated', async (t) => {
  const app = await build(t)
  const signup = await signUp(app)
  const { pair } = setCookieOf(signup)
  for (let time = 0; time < 2; time++) {
    const response = await post(app, 'logout', { cookie: pair })
    assert.equal(response.statusCode, 204)
    const cleared = setCookieOf(response)
    assert.deepEqual([cleared.name, cleared.value], [SECURE_NAME, ''])
    assert.deepEqual(cleared.attributes, [
      'HttpOnly',
      'Max-Age=0',
      'Path=/',
      'SameSite=Strict',
      'Secure',
    ])
  }
  assert.equal((await me(app, signup.json().accessToken)).statusCode, 401)
  assert.equal((await post(app, 'refresh', { cookie: pair })).statusCode, 401)
})

test('a refused refresh does not clear the cookie, which may be newer by then', async (t) => {
  const app = await build(t)
  const old = setCookieOf(await signUp(app))
  assert.equal((await post(app, 'logout', { cookie: old.pair })).statusCode, 204)
  // The response to the old token may arrive after the response to the login.
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

test('a missing cookie is a missing token, and a forged cookie is an invalid token', async (t) => {
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
  'an unknown sender': { origin: '' },
}

for (const [sender, { origin, ...more }] of Object.entries(FOREIGN)) {
  test(`a cookie that is sent from ${sender} is not used`, async (t) => {
    const app = await build(t, { CORS_ORIGINS: 'https://app.example.com' })
    const { pair } = setCookieOf(await signUp(app))
    const headers = { cookie: pair, ...(origin && { origin }), ...more }
    for (const path of ['refresh', 'logout']) {
      const response = await app.inject({ method: 'POST', url: `/auth/${path}`, headers })
      assert.equal(response.statusCode, 403, path)
      assert.equal(response.json().code, 'AUTH_ORIGIN_NOT_ALLOWED')
      assert.equal(response.headers['set-cookie'], undefined)
      assert.equal(response.headers['access-control-allow-origin'], undefined)
    }
    assert.equal((await post(app, 'refresh', { cookie: pair })).statusCode, 200)
  })
}

test('a page of another origin cannot store its own session in the cookie', async (t) => {
  const app = await build(t)
  const response = await signUp(app, { headers: { origin: 'https://evil.example' } })
  assert.equal(response.json().code, 'AUTH_ORIGIN_NOT_ALLOWED')
  assert.equal(response.headers['set-cookie'], undefined)
})

test('own pages, allowed origins and clients without a browser may use the cookie', async (t) => {
  const app = await build(t, {
    CORS_ORIGINS: 'https://app.example.com, https://other.example.com:8443',
  })
  const { pair } = setCookieOf(await signUp(app))
  const trusted: Record<string, string>[] = [
    { 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'same-origin', origin: 'https://proxied.example' },
    { 'sec-fetch-site': 'same-site', origin: 'https://app.example.com' },
    { origin: 'https://other.example.com:8443' },
    BY_COOKIE,
  ]
  for (const headers of trusted) {
    const response = await app.inject({
      method: 'POST',
      url: '/auth/refresh',
      headers: { cookie: pair, ...headers },
    })
    assert.equal(response.statusCode, 200, JSON.stringify(headers))
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
        const response = await app.inject({
          method: 'POST',
          url: `/auth/${path}`,
          headers,
          payload,
        })
        assert.ok(
          response.statusCode >= 400 && response.statusCode < 500,
          `${path} ${type} ${payload}`,
        )
        assert.equal(response.headers['set-cookie'], undefined)
      }
    }
  }
  assert.equal((await post(app, 'refresh', { cookie: pair })).statusCode, 200)
})

test('over plain http on this machine the cookie has no prefix and is not secure', async (t) => {
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

const NOT_ON_THIS_MACHINE: [string, Env, PostOptions][] = [
  ['a client on another machine that says localhost', LOOPBACK, { remoteAddress: '192.0.2.1' }],
  [
    'a name that resolves to this machine',
    LOOPBACK,
    { headers: { host: 'localhost.example.com' } },
  ],
  ['the public server behind a proxy on its machine', {}, {}],
  [
    'forwarded headers from another machine',
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

for (const [situation, env, options] of NOT_ON_THIS_MACHINE) {
  test(`a cookie stays secure: ${situation}`, async (t) => {
    const app = await build(t, env)
    const headers = { host: 'localhost:3000', 'sec-fetch-site': 'same-origin', ...options.headers }
    const { name, attributes } = setCookieOf(await signUp(app, { ...options, headers }))
    assert.equal(name, SECURE_NAME)
    assert.ok(attributes.includes('Secure'))
    // A cookie that is not secure is not read: anyone on the network may have set it.
    const planted = { cookie: `${PLAIN_NAME}=e30.e30.e30`, ...options, headers }
    assert.equal((await post(app, 'refresh', planted)).json().code, 'AUTH_MISSING_TOKEN')
  })
}
