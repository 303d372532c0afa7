import assert from 'node:assert/strict'
import { test } from 'node:test'
import { losing, type Wire } from '../support/client/browser.ts'
import {
  createMemoryStorage,
  EXPIRY,
  GRACE,
  MINUTE,
  startWorld,
} from '../support/client/client-world.ts'
import { until } from '../support/until.ts'

const me = (url: string) => `${url}/auth/me`

test('login signs in, fetch adds the token, and logout ends the session', async (t) => {
  const { open, url, credentials, browser } = await startWorld(t)
  const tab = open()
  assert.equal(await tab.token(), undefined)
  const { sessionId } = await tab.login(credentials)
  const response = await tab.fetch(me(url))
  assert.equal(((await response.json()) as { sessionId: string }).sessionId, sessionId)
  const token = await tab.token()
  await tab.logout()
  assert.equal(await tab.token(), undefined)
  assert.equal((await tab.fetch(me(url))).status, 401)
  assert.equal(
    (await fetch(me(url), { headers: { authorization: `Bearer ${token}` } })).status,
    401,
  )
  assert.equal(browser.jar.size, 0)
  assert.deepEqual(
    tab.changes.map(({ signedIn, reason, elsewhere }) => [signedIn, reason, elsewhere]),
    [
      [true, 'login', false],
      [false, 'logout', false],
    ],
  )
})

test('a refused login rejects with the code of the problem and changes nothing', async (t) => {
  const { open, credentials } = await startWorld(t)
  const tab = open()
  await assert.rejects(tab.login({ ...credentials, password: 'something else entirely' }), {
    name: 'PawlClientError',
    status: 401,
    code: 'AUTH_INVALID_CREDENTIALS',
  })
  assert.deepEqual(tab.changes, [])
})

test('in cookie mode no token is in a storage that scripts can read', async (t) => {
  const { open, url, credentials, browser, pass } = await startWorld(t)
  const tab = open()
  const secrets: string[] = []
  const note = async () => secrets.push((await tab.token()) ?? '', ...browser.jar.values())
  await tab.login(credentials)
  await note()
  pass(EXPIRY)
  await tab.fetch(me(url))
  await note()
  assert.equal(new Set(secrets).size, 4)
  for (const stored of browser.items.values()) {
    assert.doesNotMatch(stored, /eyJ/)
    for (const secret of secrets) assert.ok(!stored.includes(secret))
  }
})

test('fetch sends the token only to Pawl, the page and named origins', async (t) => {
  const { open, credentials, browser } = await startWorld(t)
  const tab = open({ origins: ['https://api.example.com'] })
  await tab.login(credentials)
  const seen = new Map<string, string | null>()
  browser.wire = async (_path, _send, _take, request) => {
    seen.set(request.url, request.headers.get('authorization'))
    return new Response()
  }
  const named = 'https://api.example.com/a'
  const others = [
    'https://evil.example/a',
    'https://api.example.com.evil.example/',
    'http://api.example.com/',
  ]
  for (const to of [named, ...others]) await tab.fetch(to)
  assert.match(seen.get(named) ?? '', /^Bearer eyJ/)
  for (const other of others) assert.equal(seen.get(other), null)
  await tab.fetch(named, { headers: { authorization: 'Basic of-the-caller' } })
  assert.equal(seen.get(named), 'Basic of-the-caller')
})

test('fetch refreshes in the background, and waits only after expiry', async (t) => {
  const { open, url, credentials, browser, pass } = await startWorld(t)
  const tab = open()
  await tab.login(credentials)
  const first = await tab.token()
  pass(EXPIRY - 31_000)
  assert.equal((await tab.fetch(me(url))).status, 200)
  assert.equal(browser.refreshes(), 0)
  pass(11_000)
  assert.equal(await tab.token(), first)
  await until(async () => (await tab.token()) !== first)
  assert.equal(browser.refreshes(), 1)
  pass(EXPIRY)
  assert.equal((await tab.fetch(me(url))).status, 200)
  assert.equal(browser.refreshes(), 2)
})

test('a client notices that its token expired during sleep or a change of the clock', async (t) => {
  const { open, url, credentials, browser, pass, clock } = await startWorld(t)
  const tab = open()
  await tab.login(credentials)
  pass(EXPIRY, true)
  browser.requests.length = 0
  assert.equal((await tab.fetch(me(url))).status, 200)
  // The client knew without a request that the token had expired.
  assert.deepEqual(browser.requests, ['POST /auth/refresh', 'GET /auth/me'])

  browser.wall -= 86_400_000
  assert.equal((await tab.fetch(me(url))).status, 200)
  assert.equal(browser.refreshes(), 1)
  clock.advance(EXPIRY)
  browser.steady += EXPIRY
  assert.equal((await tab.fetch(me(url))).status, 200)
  assert.equal(browser.refreshes(), 2)
  assert.equal(browser.requests.at(-2), 'POST /auth/refresh')
})

test('after a 401, fetch refreshes once and sends the request again with its body', async (t) => {
  const { open, url, credentials, browser } = await startWorld(t)
  const tab = open()
  await tab.login(credentials)
  const sent: (string | null)[] = []
  const bodies: string[] = []
  browser.wire = async (path, send, take, request) => {
    if (path !== '/orders') return take(await send())
    sent.push(request.headers.get('authorization'))
    bodies.push(await request.text())
    return new Response(null, { status: 401 })
  }
  const response = await tab.fetch(`${url}/orders`, { method: 'POST', body: 'one of each' })
  assert.equal(response.status, 401)
  assert.deepEqual(bodies, ['one of each', 'one of each'])
  assert.notEqual(sent[0], sent[1])
  assert.equal(browser.refreshes(), 1)
})

for (const challenge of [
  'Bearer error="insufficient_user_authentication"',
  'Bearer error="insufficient_user_authentication", max_age="300"',
])
  test(`fetch neither refreshes nor repeats after a 401 with ${challenge}`, async (t) => {
    const { open, url, credentials, browser } = await startWorld(t)
    const tab = open()
    await tab.login(credentials)
    const token = await tab.token()
    browser.wire = async (path, send, take) =>
      path === '/payments'
        ? new Response('again', { status: 401, headers: { 'www-authenticate': challenge } })
        : take(await send())
    browser.requests.length = 0
    const response = await tab.fetch(`${url}/payments`, { method: 'POST', body: 'a lot' })
    // The page asks for the password, and the session goes on meanwhile.
    assert.deepEqual([response.status, await response.text()], [401, 'again'])
    assert.deepEqual(browser.requests, ['POST /payments'])
    assert.equal(await tab.token(), token)
  })

for (const losses of [1, 2, 3]) {
  test(`a refresh is retried with its key if ${losses} responses are lost`, async (t) => {
    const { open, url, credentials, browser, pass } = await startWorld(t)
    const tab = open()
    await tab.login(credentials)
    pass(EXPIRY)
    browser.wire = losing(losses)
    assert.equal((await tab.fetch(me(url))).status, 200)
    assert.equal(browser.refreshes(), losses + 1)
    assert.equal(new Set(browser.keys).size, 1)
    pass(EXPIRY)
    assert.equal((await tab.fetch(me(url))).status, 200)
    assert.equal(new Set(browser.keys).size, 2)
  })
}

for (const delivery of ['cookie', 'storage']) {
  test(`a reload after the grace period repairs lost responses, by ${delivery}`, async (t) => {
    const { open, url, credentials, browser, pass } = await startWorld(t)
    const items = new Map<string, string>()
    const storage = {
      getItem: (name: string) => items.get(name) ?? null,
      setItem: (name: string, value: string) => items.set(name, value),
    }
    const options = delivery === 'storage' ? { storage } : {}
    let tab = open(options)
    await tab.login(credentials)
    assert.equal(browser.jar.size, delivery === 'storage' ? 0 : 1)
    pass(EXPIRY)
    for (let losses = 1; losses <= 3; losses++) {
      // The page is closed while it waits for the response.
      let hasResponded = false
      browser.wire = async (path, send, take) => {
        const response = await send()
        if (path !== '/auth/refresh') return take(response)
        hasResponded = true
        return new Promise(() => {})
      }
      void tab.fetch(me(url))
      await until(() => hasResponded)
      tab.tab.kill()
      pass(losses === 3 ? 10 * GRACE : 1_000)
      tab = open(options)
    }
    browser.wire = losing(0)
    assert.equal((await tab.fetch(me(url))).status, 200)
    assert.equal(new Set(browser.keys).size, 1)
    assert.equal(browser.keys.length, 4)
    pass(EXPIRY)
    assert.equal((await tab.fetch(me(url))).status, 200)
  })
}

test('an unavailable server signs no user out, and Retry-After is respected', async (t) => {
  const { open, url, credentials, browser, pass } = await startWorld(t)
  const tab = open()
  await tab.login(credentials)
  pass(EXPIRY)
  const overloaded: Wire = async (path, send, take) =>
    path === '/auth/refresh'
      ? new Response('{}', { status: 503, headers: { 'retry-after': '7' } })
      : take(await send())
  browser.wire = overloaded
  await assert.rejects(tab.fetch(me(url)), { name: 'PawlClientError', status: 503, retryAfter: 7 })
  assert.equal(browser.refreshes(), 5)
  assert.ok(browser.pauses.length === 4 && browser.pauses.every((ms) => ms >= 7_000))
  browser.wire = async () => {
    throw new TypeError('no network')
  }
  await assert.rejects(tab.fetch(me(url)), { status: 0 })
  assert.equal(tab.client.sessionId, tab.changes[0]?.sessionId)
  assert.equal(tab.changes.length, 1)
  browser.wire = losing(0)
  assert.equal((await tab.fetch(me(url))).status, 200)
})

test('if the server revoked the session, every tab reports that it has ended', async (t) => {
  const { open, url, credentials, browser, app } = await startWorld(t)
  const tab = open()
  const other = open()
  await tab.login(credentials)
  const authorization = `Bearer ${await tab.token()}`
  await app.inject({ method: 'POST', url: '/auth/logout', headers: { authorization } })
  assert.equal((await tab.fetch(me(url))).status, 401)
  await until(() => other.changes.length === 2)
  for (const [{ changes }, elsewhere] of [[tab, false] as const, [other, true] as const]) {
    assert.deepEqual(changes.at(-1), {
      signedIn: false,
      sessionId: undefined,
      reason: 'ended',
      elsewhere,
    })
  }
  const before = browser.requests.length
  assert.equal(await tab.token(), undefined)
  assert.equal(browser.requests.length, before)
})

test('a logout that cannot reach the server rejects, and the user stays signed in', async (t) => {
  const { open, url, credentials, browser } = await startWorld(t)
  const tab = open()
  await tab.login(credentials)
  browser.wire = async () => {
    throw new TypeError('no network')
  }
  await assert.rejects(tab.logout(), { status: 0 })
  assert.equal(tab.changes.length, 1)
  browser.wire = losing(1, '/auth/logout')
  await tab.logout()
  assert.equal(tab.changes.length, 2)
  assert.equal((await tab.fetch(me(url))).status, 401)
})

test('a session in a cookie is restored after the storage was cleared', async (t) => {
  const { open, url, credentials, browser, pass } = await startWorld(t)
  await open().login(credentials)
  browser.items.clear()
  pass(MINUTE)
  const tab = open()
  assert.equal((await tab.fetch(me(url))).status, 200)
  assert.deepEqual(
    tab.changes.map(({ signedIn, reason }) => [signedIn, reason]),
    [[true, 'restored']],
  )
})

for (const delivery of ['cookie', 'storage']) {
  test(`after a password change the tabs continue with the new session, by ${delivery}`, async (t) => {
    const { open, url, credentials, pass } = await startWorld(t)
    const storage = createMemoryStorage()
    const options = delivery === 'storage' ? { storage } : {}
    const [tab, other] = [open(options), open(options)]
    const before = await tab.login(credentials)
    await until(() => other.changes.length === 1)
    const newPassword = `${credentials.password} and more`
    const after = await tab.changePassword({
      currentPassword: credentials.password,
      newPassword,
    })
    assert.notEqual(after.sessionId, before.sessionId)
    await until(() => other.client.sessionId === after.sessionId)
    for (const one of [tab, other]) {
      pass(EXPIRY)
      assert.equal((await one.fetch(me(url))).status, 200)
    }
    await assert.rejects(tab.changePassword({ currentPassword: 'wrong', newPassword }), {
      code: 'AUTH_WRONG_PASSWORD',
    })
    assert.equal((await tab.fetch(me(url))).status, 200)
  })
}
