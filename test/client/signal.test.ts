import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EXPIRY, startWorld } from '../support/client/client-world.ts'
import { until } from '../support/until.ts'

for (const when of ['before the call', 'during the wait'] as const) {
  test(`a request that is aborted ${when} waits for no token and is not sent`, async (t) => {
    const { open, url, credentials, browser, pass } = await startWorld(t)
    const tab = open()
    await tab.login(credentials)
    pass(EXPIRY)
    const controller = new AbortController()
    browser.requests.length = 0
    const never = new Promise<never>(() => {})
    browser.wire = (path, send, take) =>
      path === '/auth/refresh' ? never : send().then((response) => take(response))
    if (when === 'before the call') controller.abort(new Error('too late'))
    const response = tab.fetch(`${url}/auth/me`, { signal: controller.signal })
    if (when === 'during the wait') {
      await until(() => browser.refreshes() === 1)
      controller.abort(new Error('too late'))
    }
    await assert.rejects(response, { message: 'too late' })
    assert.ok(browser.requests.every((request) => request !== 'GET /auth/me'))
  })
}

test('a request that is aborted while it waits to be sent again is not sent again', async (t) => {
  const { open, url, credentials, browser } = await startWorld(t)
  const tab = open()
  await tab.login(credentials)
  const controller = new AbortController()
  const never = new Promise<never>(() => {})
  let sent = 0
  browser.wire = async (path) => {
    if (path === '/auth/refresh') return never
    sent++
    return new Response(null, { status: 401 })
  }
  const response = tab.fetch(`${url}/orders`, { method: 'POST', signal: controller.signal })
  await until(() => browser.refreshes() === 1)
  controller.abort(new Error('too late'))
  await assert.rejects(response, { message: 'too late' })
  assert.equal(sent, 1)
})
