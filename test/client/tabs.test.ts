import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as tick } from 'node:timers/promises'
import type { Platform } from '../../src/client/platform.ts'
import { createStorageLocks } from '../../src/client/storage-locks.ts'
import { EXPIRY, GRACE, startWorld } from '../support/client/client-world.ts'
import { until } from '../support/until.ts'

const me = (url: string) => `${url}/auth/me`

test('eight tabs that open at once with an expired token refresh once', async (t) => {
  const { open, url, credentials, browser, pass } = await startWorld(t)
  await open().login(credentials)
  pass(EXPIRY)
  const tabs = Array.from({ length: 8 }, () => open())
  const responses = await Promise.all(tabs.map((tab) => tab.fetch(me(url))))
  assert.deepEqual(
    responses.map(({ status }) => status),
    Array(8).fill(200),
  )
  assert.equal(browser.refreshes(), 1)
})

test('eight tabs whose token is refused at the same time refresh once', async (t) => {
  const { open, url, credentials, browser, pass } = await startWorld(t)
  const tabs = Array.from({ length: 8 }, () => open())
  await tabs[0]?.login(credentials)
  await Promise.all(tabs.map((tab) => tab.token()))
  assert.equal(browser.refreshes(), 0)
  pass(1_000)
  let refused: string | undefined
  browser.wire = async (path, send, take, request) => {
    const bearer = request.headers.get('authorization') ?? undefined
    if (path === '/auth/me') refused ??= bearer
    return bearer && bearer === refused ? new Response(null, { status: 401 }) : take(await send())
  }
  const responses = await Promise.all(tabs.map((tab) => tab.fetch(me(url))))
  assert.ok(responses.every(({ status }) => status === 200))
  assert.equal(browser.refreshes(), 1)
})

const MISSING_FEATURES: [string, (keyof Platform)[]][] = [
  ['Web Locks', ['navigator']],
  ['BroadcastChannel', ['BroadcastChannel']],
  ['Web Locks and BroadcastChannel', ['navigator', 'BroadcastChannel']],
  ['storage', ['localStorage']],
  ['all of these', ['navigator', 'BroadcastChannel', 'localStorage']],
]

for (const [what, without] of MISSING_FEATURES) {
  test(`without ${what} tabs still get access tokens and stay signed in`, async (t) => {
    const { open, url, credentials, pass } = await startWorld(t)
    await open({}, { without }).login(credentials)
    for (let round = 0; round < 3; round++) {
      pass(EXPIRY)
      const tabs = Array.from({ length: 4 }, () => open({}, { without }))
      const responses = await Promise.all(tabs.map((tab) => tab.fetch(me(url))))
      assert.ok(
        responses.every(({ status }) => status === 200),
        `round ${round}`,
      )
    }
  })
}

test('with locks in the storage, tabs without Web Locks refresh once', async (t) => {
  const { open, url, credentials, browser, pass } = await startWorld(t)
  const openTab = () => {
    const clock = { wall: () => browser.wall, sleep: () => tick() }
    const storage = browser.openTab().platform.localStorage ?? assert.fail()
    return open({ platform: { navigator: { locks: createStorageLocks(storage, clock) } } })
  }
  await openTab().login(credentials)
  for (let round = 1; round <= 3; round++) {
    pass(EXPIRY)
    const tabs = Array.from({ length: 4 }, openTab)
    const responses = await Promise.all(tabs.map((tab) => tab.fetch(me(url))))
    assert.ok(responses.every(({ status }) => status === 200))
    assert.equal(browser.refreshes(), round)
  }
})

test('two tabs without a common lock refresh with the same key', async (t) => {
  const { open, url, credentials, browser, pass } = await startWorld(t)
  await open().login(credentials)
  pass(EXPIRY)
  const tabs = [
    open({}, { without: ['BroadcastChannel'] }),
    open({}, { without: ['navigator', 'BroadcastChannel'] }),
  ]
  let arrived = 0
  browser.wire = async (path, send, take) => {
    if (path === '/auth/refresh') {
      arrived++
      await until(() => arrived >= tabs.length)
    }
    return take(await send())
  }
  await Promise.all(tabs.map((tab) => tab.fetch(me(url))))
  assert.equal(browser.refreshes(), 2)
  assert.equal(new Set(browser.keys).size, 1)
  pass(10 * GRACE)
  for (const tab of tabs) assert.equal((await tab.fetch(me(url))).status, 200)
})

test('a logout in one tab signs the others out, and the next login signs them in', async (t) => {
  const { open, url, credentials } = await startWorld(t)
  for (const without of [[], ['BroadcastChannel']] satisfies (keyof Platform)[][]) {
    const [one, other] = [open({}, { without }), open({}, { without })]
    const first = await one.login(credentials)
    await until(() => other.changes.length === 1)
    assert.deepEqual(other.changes[0], {
      signedIn: true,
      reason: 'login',
      elsewhere: true,
      sessionId: first.sessionId,
    })
    assert.equal((await other.fetch(me(url))).status, 200)
    await one.logout()
    await until(() => other.changes.length === 2)
    assert.deepEqual(other.changes[1], {
      signedIn: false,
      reason: 'logout',
      elsewhere: true,
      sessionId: undefined,
    })
    assert.equal((await other.fetch(me(url))).status, 401)
    one.close()
    other.close()
  }
})

test('a tab that is killed while it holds the lock does not block the others', async (t) => {
  const { open, url, credentials, browser, pass } = await startWorld(t)
  const victim = open()
  await victim.login(credentials)
  pass(EXPIRY)
  let hasResponded = false
  browser.wire = async (path, send, take) => {
    const response = await send()
    if (path !== '/auth/refresh' || hasResponded) return take(response)
    hasResponded = true
    return new Promise(() => {})
  }
  void victim.fetch(me(url))
  await until(() => hasResponded)
  const other = open()
  const response = other.fetch(me(url))
  victim.tab.kill()
  assert.equal((await response).status, 200)
  assert.equal(new Set(browser.keys).size, 1)
})
