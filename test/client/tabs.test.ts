import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Platform } from '../../src/client/platform.ts'
import { EXPIRY, GRACE, world } from '../support/client/client-world.ts'
import { until } from '../support/helper.ts'

const me = (url: string) => `${url}/auth/me`

test('eight tabs that open at once with an expired token make one refresh', async (t) => {
  const { open, url, credentials, browser, pass } = await world(t)
  await open().login(credentials)
  pass(EXPIRY)
  const tabs = Array.from({ length: 8 }, () => open())
  const answers = await Promise.all(tabs.map((tab) => tab.fetch(me(url))))
  assert.deepEqual(
    answers.map(({ status }) => status),
    Array(8).fill(200),
  )
  assert.equal(browser.refreshes(), 1)
})

test('eight tabs whose token is refused at once make one refresh', async (t) => {
  const { open, url, credentials, browser, pass } = await world(t)
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
  const answers = await Promise.all(tabs.map((tab) => tab.fetch(me(url))))
  assert.ok(answers.every(({ status }) => status === 200))
  assert.equal(browser.refreshes(), 1)
})

const LACKS: [string, (keyof Platform)[]][] = [
  ['Web Locks', ['locks']],
  ['BroadcastChannel', ['createChannel']],
  ['either', ['locks', 'createChannel']],
  ['storage', ['storage']],
  ['anything', ['locks', 'createChannel', 'storage']],
]

for (const [what, without] of LACKS) {
  test(`without ${what} tabs get their tokens all the same, and stay signed in`, async (t) => {
    const { open, url, credentials, browser, pass } = await world(t)
    await open({}, { without }).login(credentials)
    for (let round = 0; round < 3; round++) {
      pass(EXPIRY)
      const tabs = Array.from({ length: 4 }, () => open({}, { without }))
      const answers = await Promise.all(tabs.map((tab) => tab.fetch(me(url))))
      assert.ok(
        answers.every(({ status }) => status === 200),
        `round ${round}`,
      )
      if (what === 'Web Locks') assert.equal(browser.refreshes(), round + 1)
    }
  })
}

test('two tabs that refresh at once, each without seeing the other, send one key and both go on', async (t) => {
  const { open, url, credentials, browser, pass } = await world(t)
  await open().login(credentials)
  pass(EXPIRY)
  const tabs = [
    open({}, { without: ['createChannel'] }),
    open({}, { without: ['locks', 'createChannel'] }),
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

test('logout in one tab is heard in the others, and so is the next login', async (t) => {
  const { open, url, credentials } = await world(t)
  for (const without of [[], ['createChannel']] satisfies (keyof Platform)[][]) {
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

test('a tab that is killed with the lock in its hands holds nobody up', async (t) => {
  const { open, url, credentials, browser, pass } = await world(t)
  const victim = open()
  await victim.login(credentials)
  pass(EXPIRY)
  let isServed = false
  browser.wire = async (path, send, take) => {
    const answer = await send()
    if (path !== '/auth/refresh' || isServed) return take(answer)
    isServed = true
    return new Promise(() => {})
  }
  void victim.fetch(me(url))
  await until(() => isServed)
  const other = open()
  const answer = other.fetch(me(url))
  victim.tab.kill()
  assert.equal((await answer).status, 200)
  assert.equal(new Set(browser.keys).size, 1)
})
