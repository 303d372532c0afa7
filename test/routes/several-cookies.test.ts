import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { FastifyInstance } from 'fastify'
import { me, refresh, signUp as signUpByBody } from '../support/app-requests.ts'
import { createClock, type TestClock } from '../support/clock.ts'
import { BY_COOKIE, post, signUp } from '../support/cookie-requests.ts'
import { OLD_NAME, PLAIN_NAME, SECURE_NAME, setCookieOf, setCookiesOf } from '../support/cookies.ts'
import { newEmail, newRetryKey, PASSWORD } from '../support/credentials.ts'
import { build } from '../support/in-process-server.ts'

const HOUR = 3_600_000
/** One second more than the grace period. */
const GRACE_IS_OVER = 31_000

const named = (name: string, tokens: readonly string[]) =>
  tokens.map((token) => `${name}=${token}`).join('; ')

/** Rotates the session by body until it has this many tokens. Returns them, the oldest first. */
async function rotate(app: FastifyInstance, clock: TestClock, count: number): Promise<string[]> {
  const tokens = [(await signUpByBody(app)).refreshToken]
  while (tokens.length < count) {
    clock.advance(GRACE_IS_OVER)
    tokens.push((await refresh(app, tokens.at(-1) ?? '')).json().refreshToken)
  }
  clock.advance(GRACE_IS_OVER)
  return tokens
}

async function endedToken(app: FastifyInstance): Promise<string> {
  const { refreshToken } = await signUpByBody(app)
  await post(app, 'logout', { payload: { refreshToken } })
  return refreshToken
}

test('cookies in any order: the good one counts, and no session ends', async (t) => {
  const clock = createClock()
  const app = await build(t, {}, clock)
  const forged = 'e30.e30.e30'
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6]),
      fc.constantFrom(SECURE_NAME, OLD_NAME),
      fc.nat(),
      async (others, name, at) => {
        const own = await rotate(app, clock, 3)
        const good = own.pop() ?? ''
        const foreign = await rotate(app, clock, 3)
        const newestForeign = foreign.pop() ?? ''
        const all = [...own, ...foreign, await endedToken(app), forged, '']
        const chosen = others.map((index) => all[index] ?? '')
        chosen.splice(at % (chosen.length + 1), 0, good)
        const response = await post(app, 'refresh', { cookie: named(name, chosen) })
        assert.equal(response.statusCode, 200, response.body)
        const [set] = setCookiesOf(response)
        assert.equal(set?.name, SECURE_NAME)
        assert.equal((await refresh(app, set?.value ?? '')).statusCode, 200)
        assert.equal((await refresh(app, newestForeign)).statusCode, 200)
      },
    ),
    { numRuns: 25 },
  )
})

test('a spent cookie alone is theft, and so is one beside dead cookies', async (t) => {
  const clock = createClock()
  const app = await build(t, {}, clock)
  for (const before of [[], ['e30.e30.e30'], [await endedToken(app)]]) {
    const [spent = '', newest = ''] = await rotate(app, clock, 2)
    const cookie = named(SECURE_NAME, [...before, spent])
    assert.equal((await post(app, 'refresh', { cookie })).statusCode, 401)
    assert.equal((await refresh(app, newest)).statusCode, 401)
  }
})

test('a lost response is repaired beside the spent cookie of somebody else', async (t) => {
  const clock = createClock()
  const app = await build(t, {}, clock)
  const [ancient = '', , foreign = ''] = await rotate(app, clock, 3)
  const lost = (await signUpByBody(app)).refreshToken
  const key = newRetryKey()
  const successor = (await refresh(app, lost, key)).json().refreshToken
  clock.advance(HOUR)
  const response = await post(app, 'refresh', {
    cookie: named(SECURE_NAME, [ancient, lost]),
    headers: { 'idempotency-key': key },
  })
  assert.equal(response.statusCode, 200)
  assert.equal(setCookieOf(response).value, successor)
  assert.equal((await refresh(app, foreign)).statusCode, 200)
})

test('if no cookie is good, the response is that to one bad cookie', async (t) => {
  const app = await build(t)
  const dead = await endedToken(app)
  const cookie = named(SECURE_NAME, ['e30.e30.e30', dead, dead])
  const response = await post(app, 'refresh', { cookie })
  assert.equal(response.json().code, 'AUTH_INVALID_REFRESH_TOKEN')
  assert.equal(response.headers['set-cookie'], undefined)
})

test('a cookie that a sibling can set never wins over the one that it cannot set', async (t) => {
  const app = await build(t)
  const [own, planted] = [setCookieOf(await signUp(app)), setCookieOf(await signUp(app))]
  const cookie = `${OLD_NAME}=${planted.value}; ${own.pair}`
  const response = await post(app, 'refresh', { cookie })
  const [set, deleted] = setCookiesOf(response)
  assert.equal((await refresh(app, own.value)).json().refreshToken, set?.value)
  assert.deepEqual([deleted?.name, deleted?.value], [OLD_NAME, ''])
})

test('a cookie of an earlier version goes on under the new name', async (t) => {
  const app = await build(t)
  const { value } = setCookieOf(await signUp(app))
  const response = await post(app, 'refresh', { cookie: `${OLD_NAME}=${value}` })
  assert.equal(response.statusCode, 200)
  const [set, deleted] = setCookiesOf(response)
  assert.equal(set?.name, SECURE_NAME)
  assert.ok(set?.attributes.includes('Path=/'))
  assert.equal(deleted?.name, OLD_NAME)
  assert.ok(deleted?.attributes.includes('Path=/auth'))
  assert.ok(deleted?.attributes.includes('Max-Age=0'))

  const local = await build(t, { ISSUER: 'http://localhost:3000' })
  const headers = { host: 'localhost:3000', origin: 'http://localhost:3000' }
  const first = setCookieOf(await signUp(local, { headers }))
  const next = setCookieOf(await post(local, 'refresh', { cookie: first.pair, headers }))
  const both = `${first.pair}; ${next.pair}`
  const [, oldOne] = setCookiesOf(await post(local, 'refresh', { cookie: both, headers }))
  assert.equal(oldOne?.name, PLAIN_NAME)
  assert.ok(oldOne?.attributes.includes('Path=/auth'))
})

test('a logout ends the session of each cookie', async (t) => {
  const app = await build(t)
  const people = [await signUp(app), await signUp(app)]
  const cookie = `${people.map((response) => setCookieOf(response).pair).join('; ')}; ${OLD_NAME}=x`
  const response = await post(app, 'logout', { cookie })
  assert.equal(response.statusCode, 204)
  assert.deepEqual(
    setCookiesOf(response).map(({ name, value }) => [name, value]),
    [
      [SECURE_NAME, ''],
      [OLD_NAME, ''],
    ],
  )
  for (const person of people)
    assert.equal((await me(app, person.json().accessToken)).statusCode, 401)
})

for (const path of ['login', 'signup']) {
  test(`a ${path} by cookie ends the session of the cookie that it replaces`, async (t) => {
    const app = await build(t)
    const payload = { email: newEmail(), password: PASSWORD }
    if (path === 'login') await post(app, 'signup', { payload })
    const old = await signUp(app)
    const cookie = setCookieOf(old).pair

    const wrong = { ...payload, password: 'no' }
    assert.ok(
      (await post(app, path, { payload: wrong, cookie, headers: BY_COOKIE })).statusCode > 399,
    )
    assert.equal((await me(app, old.json().accessToken)).statusCode, 200)

    const response = await post(app, path, { payload, cookie, headers: BY_COOKIE })
    assert.ok(response.statusCode < 300)
    assert.equal((await me(app, response.json().accessToken)).statusCode, 200)
    assert.equal((await me(app, old.json().accessToken)).statusCode, 401)
    assert.equal((await post(app, 'refresh', { cookie })).statusCode, 401)
  })
}

test('a login by body leaves the session of the cookie alone', async (t) => {
  const app = await build(t)
  const payload = { email: newEmail(), password: PASSWORD }
  const old = await signUp(app)
  const cookie = setCookieOf(old).pair
  assert.ok((await post(app, 'signup', { payload, cookie })).json().refreshToken)
  assert.equal((await me(app, old.json().accessToken)).statusCode, 200)
})

test('a password change delivers the new session as the old one was delivered', async (t) => {
  const app = await build(t)
  const change = async (options: { cookie?: string; headers?: Record<string, string> }) => {
    const { email, accessToken } = await signUpByBody(app)
    const payload = { email, password: PASSWORD }
    const login = await post(app, 'login', { payload, headers: BY_COOKIE })
    const cookie = options.cookie ?? setCookieOf(login).pair
    return post(app, 'password', {
      ...options,
      cookie,
      headers: {
        authorization: `Bearer ${options.cookie ? accessToken : login.json().accessToken}`,
        ...options.headers,
      },
      payload: { currentPassword: PASSWORD, newPassword: 'a ratchet of another wheel' },
    })
  }
  const foreign = setCookieOf(await signUp(app)).pair
  const byCookie = await change({})
  assert.equal(byCookie.json().refreshToken, undefined)
  assert.equal((await post(app, 'refresh', { cookie: setCookieOf(byCookie).pair })).statusCode, 200)
  // The cookie belongs to another session, so this client keeps its tokens itself.
  const byBody = await change({ cookie: foreign })
  assert.ok(byBody.json().refreshToken)
  assert.equal(byBody.headers['set-cookie'], undefined)
  const asked = await change({ cookie: foreign, headers: BY_COOKIE })
  assert.equal(asked.json().refreshToken, undefined)
  assert.equal((await post(app, 'refresh', { cookie: foreign })).statusCode, 200)
})
