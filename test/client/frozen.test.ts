import assert from 'node:assert/strict'
import { test } from 'node:test'
import { losing } from '../support/client/browser.ts'
import { EXPIRY, GRACE, world } from '../support/client/client-world.ts'
import { newEmail, PASSWORD, signUp, until } from '../support/helper.ts'

const me = (url: string) => `${url}/auth/me`
const LOCK_LIMIT = 12_000

test('a tab that is frozen with the lock in its hands is passed over', async (t) => {
  const { open, url, credentials, browser, pass } = await world(t)
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
  const other = open()
  const answer = other.fetch(me(url))
  await until(() => browser.limits.some(({ ms }) => ms === LOCK_LIMIT))
  assert.equal(browser.refreshes(), 1)
  browser.reach(LOCK_LIMIT)
  assert.equal((await answer).status, 200)
  assert.equal(new Set(browser.keys).size, 1)
  pass(10 * GRACE + EXPIRY)
  assert.equal((await other.fetch(me(url))).status, 200)
})

test('the late answer of a session that is no longer ours changes nothing', async (t) => {
  const { open, url, app, credentials, browser, pass } = await world(t)
  const slow = open({ platform: { locks: undefined } })
  const quick = open()
  await slow.login(credentials)
  pass(EXPIRY)
  let resolve = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  browser.wire = async (path, send, take) => {
    if (path !== '/auth/refresh') return take(await send())
    const answer = await send()
    await promise
    // Its cookie as well: without locks that cannot be helped. With them nobody signs in meanwhile.
    return answer
  }
  const late = slow.fetch(me(url))
  await until(() => browser.refreshes() === 1)
  await quick.logout()
  const somebody = { email: newEmail(), password: PASSWORD }
  await signUp(app, somebody.email)
  const { sessionId } = await quick.login(somebody)
  browser.wire = losing(0)
  resolve()
  const answer = (await (await late).json()) as { sessionId: string }
  assert.equal(answer.sessionId, sessionId)
  assert.equal(quick.changes.at(-1)?.sessionId, sessionId)
  assert.equal(slow.client.sessionId, sessionId)
})
