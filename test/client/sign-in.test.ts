import assert from 'node:assert/strict'
import { test } from 'node:test'
import { losing } from '../support/client/browser.ts'
import { EXPIRY, GRACE, startWorld } from '../support/client/client-world.ts'
import { until } from '../support/until.ts'

const me = (url: string) => `${url}/auth/me`

test('every tab continues with the session of a sign-in by another route', async (t) => {
  const { open, url, credentials, pass } = await startWorld(t)
  const [tab, other] = [open(), open()]
  const before = await tab.login(credentials)
  await until(() => other.changes.length === 1)
  const { password } = credentials
  const after = await tab.client.signIn('reauthenticate', { password }, await tab.token())
  assert.notEqual(after.sessionId, before.sessionId)
  await until(() => other.client.sessionId === after.sessionId)
  for (const one of [tab, other]) {
    pass(EXPIRY)
    assert.equal((await one.fetch(me(url))).status, 200)
  }
})

test('a refused sign-in by another route changes nothing', async (t) => {
  const { open, url, credentials } = await startWorld(t)
  const tab = open()
  await tab.login(credentials)
  const body = { password: 'something else entirely' }
  await assert.rejects(tab.client.signIn('reauthenticate', body, await tab.token()), {
    code: 'AUTH_WRONG_PASSWORD',
  })
  await assert.rejects(tab.client.signIn('../nowhere', body), { status: 404 })
  assert.equal((await tab.fetch(me(url))).status, 200)
  assert.equal(tab.changes.length, 1)
})

test('a user who has signed out is signed in by a login that redirects back', async (t) => {
  const { open, url, credentials, browser, pass } = await startWorld(t)
  const tab = open()
  await tab.login(credentials)
  await tab.logout()
  // Such a login sets the cookie, and the client does not know of it.
  const login = await tab.fetch(`${url}/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-token-delivery': 'cookie' },
    body: JSON.stringify(credentials),
  })
  assert.equal(login.status, 200)
  assert.equal(await tab.token(), undefined)

  // A lost response is repaired, however late, because the next attempt has the same key.
  browser.wire = losing(1)
  await assert.rejects(tab.client.signIn('refresh'), { offline: true })
  pass(10 * GRACE)
  const { sessionId } = await tab.client.signIn('refresh')
  assert.equal(tab.client.sessionId, sessionId)
  assert.equal((await tab.fetch(me(url))).status, 200)
  assert.equal(browser.keys.length, 2)
  assert.equal(new Set(browser.keys).size, 1)
})
