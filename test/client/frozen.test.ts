import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signUp } from '../support/app-requests.ts'
import { losing } from '../support/client/browser.ts'
import { EXPIRY, GRACE, startWorld } from '../support/client/client-world.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { until } from '../support/until.ts'

const me = (url: string) => `${url}/auth/me`
/** The client's, in milliseconds. */
const LOCK_TIMEOUT = 25_000

test('if a frozen tab holds the lock, another tab refreshes after a timeout', async (t) => {
  const { open, url, credentials, browser, pass } = await startWorld(t)
  const victim = open()
  await victim.login(credentials)
  pass(EXPIRY)
  browser.wire = async (_path, send, take) => {
    victim.tab.freeze()
    browser.wire = losing(0)
    return take(await send())
  }
  void victim.fetch(me(url))
  await until(() => browser.refreshes() === 1)
  const waits = () => browser.timeouts.filter(({ ms }) => ms === LOCK_TIMEOUT).length
  const before = waits()
  const other = open()
  const response = other.fetch(me(url))
  await until(() => waits() > before)
  assert.equal(browser.refreshes(), 1)
  browser.endTimeouts(LOCK_TIMEOUT)
  assert.equal((await response).status, 200)
  assert.equal(new Set(browser.keys).size, 1)
  pass(10 * GRACE + EXPIRY)
  assert.equal((await other.fetch(me(url))).status, 200)
})

test('a late response for a session that was replaced changes nothing', async (t) => {
  const { open, url, app, credentials, browser, pass } = await startWorld(t)
  const slow = open({ platform: { navigator: undefined } })
  const quick = open()
  await slow.login(credentials)
  pass(EXPIRY)
  let resolve = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  browser.wire = async (path, send, take) => {
    if (path !== '/auth/refresh') return take(await send())
    const response = await send()
    await promise
    // The cookie jar ignores this response. Without locks a browser would store its cookie, and the
    // client could not prevent that. With locks, no other tab signs in during the refresh.
    return response
  }
  const late = slow.fetch(me(url))
  await until(() => browser.refreshes() === 1)
  await quick.logout()
  const otherUser = { email: newEmail(), password: PASSWORD }
  await signUp(app, otherUser.email)
  const { sessionId } = await quick.login(otherUser)
  browser.wire = losing(0)
  resolve()
  await assert.rejects(late, { code: 'SIGNED_OUT' })
  assert.equal(quick.changes.at(-1)?.sessionId, sessionId)
  assert.equal(slow.client.sessionId, sessionId)
})
