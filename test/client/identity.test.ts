import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as tick } from 'node:timers/promises'
import { signUp } from '../support/app-requests.ts'
import type { Wire } from '../support/client/browser.ts'
import { createMemoryStorage, EXPIRY, startWorld } from '../support/client/client-world.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { until } from '../support/until.ts'

/** Starts a world whose browser has two tabs. The first user is signed in, the other is not. */
async function startTwoUsers(t: Parameters<typeof startWorld>[0]) {
  const world = await startWorld(t)
  const second = { email: newEmail(), password: PASSWORD }
  await signUp(world.app, second.email)
  const [tab, other] = [world.open(), world.open()]
  await tab.login(world.credentials)
  await until(() => other.changes.length === 1)
  const sent: (string | null)[] = []
  /** Records the requests to the API of the application, and does the work before a response. */
  const api =
    (status: number, work = async () => {}): Wire =>
    async (path, send, take, request) => {
      if (path !== '/api/notes') return take(await send())
      sent.push(request.headers.get('authorization'))
      await work()
      return new Response(null, { status })
    }
  const post = (init: RequestInit = {}) =>
    tab.fetch(`${world.url}/api/notes`, { method: 'POST', body: 'mine', ...init })
  /** Opens a tab whose next request to this path has to wait. Meanwhile the second user signs in. */
  function openDelayed(path: string) {
    let isWaiting = false
    const setTimeout = async (work: () => void) => {
      if (isWaiting) {
        isWaiting = false
        await other.logout()
        await other.login(second)
      }
      work()
    }
    const delay = () => {
      const { wire } = world.browser
      world.browser.wire = async (requested, ...rest) => {
        if (requested !== path) return wire(requested, ...rest)
        world.browser.wire = wire
        isWaiting = true
        return new Response('{}', { status: 429 })
      }
    }
    return { ...world.open({ platform: { setTimeout } }), delay }
  }
  return { ...world, second, tab, other, sent, api, post, openDelayed }
}

test('after a 401, a request is not sent again as the next user', async (t) => {
  const { browser, api, post, tab, other, sent, second } = await startTwoUsers(t)
  const own = `Bearer ${await tab.token()}`
  browser.wire = api(401, async () => {
    browser.wire = api(200)
    await other.logout()
    await other.login(second)
  })
  assert.equal((await post()).status, 401)
  assert.deepEqual(sent, [own])
  assert.match((await tab.token()) ?? '', /^eyJ/)
})

test('a request that waits for a token is not sent as the next user', async (t) => {
  const { browser, api, pass, openDelayed, other, sent, url } = await startTwoUsers(t)
  const slow = openDelayed('/auth/refresh')
  await slow.token()
  pass(EXPIRY)
  browser.wire = api(200)
  slow.delay()
  await assert.rejects(slow.fetch(`${url}/api/notes`, { method: 'POST', body: 'mine' }), {
    name: 'PawlClientError',
    code: 'SIGNED_OUT',
    status: 401,
  })
  assert.deepEqual(sent, [])
  assert.match((await other.token()) ?? '', /^eyJ/)
})

test('a request of a tab that has not heard of the change is not sent as the next user', async (t) => {
  const { browser, api, post, other, sent, second, tab } = await startTwoUsers(t)
  browser.wire = api(200)
  tab.tab.onStorage = () => {}
  if (tab.tab.channel) tab.tab.channel.onmessage = null
  await other.logout()
  await other.login(second)
  await assert.rejects(post(), { code: 'SIGNED_OUT' })
  assert.deepEqual(sent, [])
})

test('a request that was made while nobody was signed in stays anonymous', async (t) => {
  const { browser, api, post, other, sent, second, tab } = await startTwoUsers(t)
  browser.wire = api(200)
  await tab.logout()
  if (tab.tab.channel) tab.tab.channel.onmessage = null
  tab.tab.onStorage = () => {}
  await other.login(second)
  assert.equal((await post()).status, 200)
  assert.deepEqual(sent, [null])
})

test('a logout that waits does not end the session of the next user', async (t) => {
  const { openDelayed, other } = await startTwoUsers(t)
  const slow = openDelayed('/auth/logout')
  await slow.token()
  slow.delay()
  await assert.rejects(slow.logout(), { code: 'SIGNED_OUT' })
  assert.match((await other.refresh()) ?? '', /^eyJ/)
})

test('clients with storages of their own never get the token of another client', async (t) => {
  const { open, credentials, browser } = await startWorld(t)
  const one = open({ storage: createMemoryStorage() })
  const other = open({ storage: createMemoryStorage() })
  await one.login(credentials)
  await tick()
  browser.requests.length = 0
  assert.equal(await other.token(), undefined)
  assert.equal(other.client.sessionId, undefined)
  assert.deepEqual([other.changes, browser.requests], [[], []])
})

test('a client with the cookie and one with a storage live beside each other', async (t) => {
  const { open, second, browser, pass } = await startTwoUsers(t)
  const storage = {
    getItem: (name: string) => browser.items.get(name) ?? null,
    setItem: (name: string, value: string) => browser.items.set(name, value),
  }
  const byStorage = open({ storage })
  const byCookie = open()
  await byStorage.login(second)
  await tick()
  for (let round = 0; round < 3; round++) {
    pass(EXPIRY)
    const [one, two] = await Promise.all([byCookie.token(), byStorage.token()])
    assert.notEqual(subjectOf(one), subjectOf(two))
  }
  assert.deepEqual(
    byCookie.changes.map(({ reason }) => reason),
    ['restored'],
  )
  await byStorage.logout()
  assert.match((await byCookie.token()) ?? '', /^eyJ/)
})

/** Returns the user of an access token. */
function subjectOf(token = ''): string {
  const [, payload = ''] = token.split('.')
  return JSON.parse(Buffer.from(payload, 'base64url').toString()).sub
}
