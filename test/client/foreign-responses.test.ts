import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMemoryStorage, EXPIRY, startWorld } from '../support/client/client-world.ts'

const HTML = { 'content-type': 'text/html' }
const JSON_TYPE = { 'content-type': 'application/json' }
const PAGE = '<!doctype html><title>Welcome to the hotel</title>'

/** Responses that something between the client and Pawl made up. */
const FOREIGN: Record<string, () => Response> = {
  ...Object.fromEntries(
    [200, 401, 403, 404, 500, 502, 503].map((status) => [
      `HTML with status ${status}`,
      () => new Response(PAGE, { status, headers: HTML }),
    ]),
  ),
  'a redirect': () => Response.redirect('https://portal.example/', 302),
  'an empty 200': () => new Response(null),
  'an empty 401': () => new Response(null, { status: 401 }),
  'an empty object': () => Response.json({}),
  'the JSON value null': () => Response.json(null),
  'a 401 with the JSON value null': () => Response.json(null, { status: 401 }),
  'truncated JSON': () =>
    new Response('{"accessToken":"eyJ', { headers: { 'content-type': 'application/json' } }),
  'JSON of another API': () => Response.json({ access_token: 'abc', expires_in: 900 }),
  'a pair with fields of wrong types': () =>
    Response.json({ accessToken: 1, refreshToken: {}, expiresIn: 'soon', sessionId: [] }),
  'a pair that never expires': () =>
    Response.json({ accessToken: 'a', refreshToken: 'b', expiresIn: null, sessionId: 'c' }),
  'a 401 of another API': () =>
    Response.json({ code: 'TOKEN_EXPIRED', title: 'No' }, { status: 401 }),
  'a 401 of another API that uses a code of Pawl': () =>
    Response.json({ code: 'AUTH_MISSING_TOKEN' }, { status: 401 }),
  'a body that ends too early': () =>
    new Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode('{"accessToken":'))
          controller.error(new TypeError('terminated'))
        },
      }),
      { headers: JSON_TYPE },
    ),
}

for (const delivery of ['cookie', 'storage']) {
  for (const [what, respond] of Object.entries(FOREIGN)) {
    test(`${what} changes nothing, by ${delivery}`, async (t) => {
      const { open, credentials, browser, pass, url } = await startWorld(t)
      const storage = createMemoryStorage()
      const tab = open(delivery === 'storage' ? { storage } : {})
      await tab.login(credentials)
      const before = tab.client.sessionId
      pass(EXPIRY)
      const usual = browser.wire
      const foreign = async () => respond()

      browser.wire = foreign
      await assert.rejects(tab.token(), { name: 'PawlClientError', offline: true })
      await assert.rejects(tab.logout(), { name: 'PawlClientError', offline: true })
      await assert.rejects(tab.login(credentials), { name: 'PawlClientError', offline: true })
      assert.equal(tab.client.sessionId, before)
      assert.equal(tab.changes.length, 1)

      browser.wire = usual
      assert.equal((await tab.fetch(`${url}/auth/me`)).status, 200)
      assert.equal(new Set(browser.keys).size, 1)
      await tab.logout()
      assert.equal(tab.client.sessionId, undefined)
    })
  }
}
