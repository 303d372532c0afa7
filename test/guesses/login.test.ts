import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { createClock } from '../support/clock.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { type Env, environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { startRedis } from '../support/services/redis.ts'
import { temporaryFolder } from '../support/temporary-files.ts'
import { until } from '../support/until.ts'

/** Time stands still, so that no pause ends on a slow machine. */
const clock = createClock()
const start = (t: TestContext, env: Env = {}) =>
  build(t, { ...env, RATE_LIMIT: 'on', TRUST_PROXY: 'loopback' }, clock)

const WRONG = 'not the password'
/** The guesses of strangers at one account until the pauses begin. */
const AT_ONCE = 11

/** An address that no other request comes from, so that no limit per address applies. */
let lastAddress = 0
const newAddress = () => {
  lastAddress++
  return `10.1.${lastAddress >> 8}.${lastAddress & 255}`
}

interface Attempt {
  email: string
  password?: string
  from?: string
  headers?: Record<string, string>
  url?: string
}

function attempt(app: FastifyInstance, { email, password = WRONG, ...rest }: Attempt) {
  const { from = newAddress(), headers = {}, url = '/auth/login' } = rest
  return app.inject({
    method: 'POST',
    url,
    headers: { 'x-forwarded-for': from, ...headers },
    payload: { email, password },
  })
}

/** Lets strangers guess, and returns the statuses that they get. */
async function guess(app: FastifyInstance, email: string, times: number): Promise<number[]> {
  const attempts = Array.from({ length: times }, () => attempt(app, { email }))
  return (await Promise.all(attempts)).map(({ statusCode }) => statusCode)
}

const count = (statuses: number[], status: number) =>
  statuses.filter((one) => one === status).length

/** A server on Redis and Postgres, and one that has all its state in its process. */
const SERVERS: [string, (t: TestContext) => Promise<FastifyInstance>][] = [
  ['with Redis', (t) => start(t)],
  [
    'without Redis',
    async (t) => {
      const dataDir = join(await temporaryFolder(t), 'data')
      return start(t, { DATABASE_URL: '', REDIS_URL: '', PAWL_DATA_DIR: dataDir })
    },
  ],
]

for (const [where, startServer] of SERVERS) {
  test(`${where}: 300 guesses at the same time are not more than are allowed`, async (t) => {
    const app = await startServer(t)
    const { email } = await signUp(app)
    const statuses = await guess(app, email, 300)
    assert.equal(count(statuses, 401), AT_ONCE)
    assert.equal(count(statuses, 429), 300 - AT_ONCE)
  })

  test(`${where}: an account that does not exist is refused in the same way`, async (t) => {
    const app = await startServer(t)
    const { email } = await signUp(app)
    const bodies = []
    for (const name of [email, newEmail()]) {
      assert.equal(count(await guess(app, name, 30), 401), AT_ONCE)
      const refused = await attempt(app, { email: name, password: PASSWORD })
      assert.equal(refused.statusCode, 429)
      assert.equal(refused.headers['content-type'], 'application/problem+json; charset=utf-8')
      assert.ok(Number(refused.headers['retry-after']) >= 1)
      bodies.push(refused.body)
    }
    assert.equal(bodies[0], bodies[1])
  })

  test(`${where}: a known device gets in while strangers guess, by cookie and by header`, async (t) => {
    const app = await startServer(t)
    const { email } = await signUp(app)
    const byCookie = { 'x-token-delivery': 'cookie', 'sec-fetch-site': 'same-origin' }
    const login = { email, password: PASSWORD }
    const inBrowser = await attempt(app, { ...login, headers: byCookie })
    const elsewhere = await attempt(app, login)
    assert.deepEqual([inBrowser.statusCode, elsewhere.statusCode], [200, 200])
    const set = [inBrowser.headers['set-cookie']].flat().map(String)
    const cookie = set.find((one) => one.startsWith('__Host-pawl-device=')) ?? ''
    assert.match(cookie, /; Max-Age=34560000; Path=\/; HttpOnly; Secure; SameSite=Strict$/)
    assert.equal(inBrowser.headers['x-known-device'], undefined)
    const header = String(elsewhere.headers['x-known-device'])

    const statuses = await guess(app, email, 300)
    assert.equal(count(statuses, 429), 300 - AT_ONCE)
    assert.equal((await attempt(app, login)).statusCode, 429)
    const cookies = { ...byCookie, cookie: cookie.split(';')[0] ?? '' }
    for (const headers of [cookies, { 'x-known-device': header }])
      assert.equal((await attempt(app, { ...login, headers })).statusCode, 200)

    // It proves nothing for another account, and neither does the device of another account.
    const other = await signUp(app)
    await guess(app, other.email, 30)
    const headers = { 'x-known-device': header }
    const refused = await attempt(app, { email: other.email, password: PASSWORD, headers })
    assert.equal(refused.statusCode, 429)
  })

  test(`${where}: a known device has a limit of its own`, async (t) => {
    const app = await startServer(t)
    const { email } = await signUp(app)
    const login = await attempt(app, { email, password: PASSWORD })
    const headers = { 'x-known-device': String(login.headers['x-known-device']) }
    const statuses = []
    for (let i = 0; i < 15; i++) statuses.push((await attempt(app, { email, headers })).statusCode)
    assert.deepEqual(statuses, [...Array(10).fill(401), ...Array(5).fill(429)])
    assert.equal((await attempt(app, { email, password: PASSWORD, headers })).statusCode, 429)
    assert.equal((await attempt(app, { email, password: PASSWORD })).statusCode, 200)
  })
}

test('a stranger at the same address does not keep a known device out', async (t) => {
  const app = await start(t)
  const { email } = await signUp(app)
  const from = '203.0.113.7'
  const login = { email, password: PASSWORD, from }
  const first = await attempt(app, login)
  const headers = { 'x-known-device': String(first.headers['x-known-device']) }
  const statuses = []
  for (let i = 0; i < 100; i++) statuses.push((await attempt(app, { email, from })).statusCode)
  assert.equal(count(statuses, 401), 10)
  assert.equal((await attempt(app, login)).statusCode, 429)
  assert.equal((await attempt(app, { ...login, headers })).statusCode, 200)
})

test('a live session is not kept from proving its password, and a change forgets guesses', async (t) => {
  const app = await start(t)
  const { email, accessToken } = await signUp(app)
  await guess(app, email, 300)
  const post = (url: string, payload: object, token: string) =>
    app.inject({ method: 'POST', url, payload, headers: { authorization: `Bearer ${token}` } })
  const renewed = await post('/auth/reauthenticate', { password: PASSWORD }, accessToken)
  assert.equal(renewed.statusCode, 200, renewed.body)
  const newPassword = `${PASSWORD}, again`
  const changed = await post(
    '/auth/password',
    { currentPassword: PASSWORD, newPassword },
    renewed.json().accessToken,
  )
  assert.equal(changed.statusCode, 200, changed.body)
  assert.ok(changed.headers['x-known-device'])
  assert.equal((await attempt(app, { email, password: newPassword })).statusCode, 200)
})

test('a session counts its wrong passwords by itself', async (t) => {
  const app = await start(t)
  const { email, accessToken } = await signUp(app)
  const prove = (password: string) =>
    app.inject({
      method: 'POST',
      url: '/auth/reauthenticate',
      payload: { password },
      headers: { authorization: `Bearer ${accessToken}` },
    })
  const statuses = []
  for (let i = 0; i < 12; i++) statuses.push((await prove(WRONG)).statusCode)
  assert.deepEqual(statuses, [...Array(10).fill(403), 429, 429])
  assert.equal((await prove(PASSWORD)).statusCode, 429)
  // Whoever has a stolen access token does not lock out the owner at the login.
  assert.equal((await attempt(app, { email, password: PASSWORD })).statusCode, 200)
})

test('nodes share the count, and a restart keeps it', async (t) => {
  const env = await environment(t)
  const [one, other] = [await start(t, env), await start(t, env)]
  const { email } = await signUp(one)
  const statuses = await Promise.all([one, other].map((app) => guess(app, email, 50)))
  assert.equal(count(statuses.flat(), 401), AT_ONCE)
  const restarted = await start(t, env)
  assert.equal((await attempt(restarted, { email, password: PASSWORD })).statusCode, 429)
})

test('a sign-up with another password counts as a guess', async (t) => {
  const app = await start(t)
  const { email } = await signUp(app)
  const statuses = []
  for (let i = 0; i < AT_ONCE; i++)
    statuses.push((await attempt(app, { email, url: '/auth/signup' })).statusCode)
  assert.deepEqual(statuses, Array(AT_ONCE).fill(409))
  const url = '/auth/signup'
  assert.equal((await attempt(app, { email, url, password: PASSWORD })).statusCode, 429)
  assert.equal((await attempt(app, { email, password: PASSWORD })).statusCode, 429)
})

test('while Redis is unavailable no password is checked, so nobody learns anything', async (t) => {
  const redis = await startRedis()
  cleanUp(t, () => redis.stop())
  const app = await start(t, { REDIS_URL: redis.url })
  const { email } = await signUp(app)
  await redis.stop()
  const url = '/auth/login'
  for (const password of [WRONG, PASSWORD]) {
    const { statusCode, headers, json } = await attempt(app, { email, password, url })
    assert.deepEqual([statusCode, json().code], [503, 'AUTH_UNAVAILABLE'])
    assert.ok(headers['retry-after'])
  }
  const again = await startRedis({ port: Number(new URL(redis.url).port) })
  cleanUp(t, () => again.stop())
  await until(async () => (await attempt(app, { email, password: PASSWORD })).statusCode === 200)
  // Redis is empty now. The limits are in force all the same.
  assert.equal(count(await guess(app, email, 50), 401), AT_ONCE)
})
