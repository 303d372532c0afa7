import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { BrowserContext, Page } from 'playwright-core'
import { browserTest } from '../support/browser/browser.ts'
import { PARENT, serveSecurely } from '../support/browser/secure-site.ts'
import { OLD_NAME, SECURE_NAME } from '../support/cookies.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'

/** Sends a request of the page's own script. Returns the status, the body and a header. */
const send = (page: Page, path: string, body?: object, header = 'clear-site-data') =>
  page.evaluate(
    async ([path, body, header]) => {
      const headers = {
        'x-token-delivery': 'cookie',
        ...(body && { 'content-type': 'application/json' }),
      }
      const response = await fetch(path, { method: 'POST', headers, ...(body && { body }) })
      const text = await response.text()
      return {
        status: response.status,
        body: text ? JSON.parse(text) : null,
        header: response.headers.get(header),
      }
    },
    [path, body && JSON.stringify(body), header] as const,
  )

const signUp = (page: Page) => send(page, '/auth/signup', { email: newEmail(), password: PASSWORD })

/** Returns the names of the cookies that the browser has, sorted. */
const cookies = async (context: BrowserContext) =>
  (await context.cookies()).map(({ name }) => name).sort()

/** As a script of the page does it, so that the browser's rules apply. */
const setCookie = (page: Page, cookie: string) =>
  page.evaluate(`document.cookie = ${JSON.stringify(cookie)}`)

function respond(_request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('content-type', 'text/html').end('<!doctype html><title>Host</title>')
}

browserTest('a page of a sibling subdomain cannot plant a session', async (t, browser) => {
  const { url, sibling } = await serveSecurely(t, respond)
  const context = await browser.newContext({ ignoreHTTPSErrors: true })
  const attacker = await browser.newContext({ ignoreHTTPSErrors: true })
  const attackersPage = await attacker.newPage()
  await attackersPage.goto(`${url}/host/`)
  const attackersSession = (await signUp(attackersPage)).body.sessionId
  const [own] = await attacker.cookies()
  assert.equal(own?.name, SECURE_NAME)

  const [evil, page] = [await context.newPage(), await context.newPage()]
  await evil.goto(`${sibling}/host/`)
  const plant = async (name: string) => {
    for (const path of ['/auth/refresh', '/auth', '/'])
      await setCookie(evil, `${name}=${own?.value}; Secure; Domain=${PARENT}; Path=${path}`)
  }
  await plant(SECURE_NAME)
  assert.deepEqual(await cookies(context), [])

  // Under the name of earlier versions it can, but that cookie does not stand before the good one.
  await plant(OLD_NAME)
  assert.deepEqual(await cookies(context), [OLD_NAME, OLD_NAME, OLD_NAME])
  await page.goto(`${url}/host/`)
  const { sessionId } = (await signUp(page)).body
  for (let time = 0; time < 3; time++) {
    const refreshed = await send(page, '/auth/refresh')
    assert.equal(refreshed.status, 200)
    assert.equal(refreshed.body.sessionId, sessionId)
    assert.notEqual(refreshed.body.sessionId, attackersSession)
  }
})

browserTest('a logout deletes the cookie, and nothing of the host', async (t, browser) => {
  const { url } = await serveSecurely(t, (request, response) => {
    if (request.url === '/host/clear') response.setHeader('clear-site-data', '"cookies"')
    respond(request, response)
  })
  const context = await browser.newContext({ ignoreHTTPSErrors: true })
  const page = await context.newPage()
  await page.goto(`${url}/host/`)
  await setCookie(page, 'theme=dark; Secure')
  await setCookie(page, `consent=given; Secure; Domain=${PARENT}`)
  await page.evaluate("localStorage.setItem('draft', 'a letter')")
  await signUp(page)
  assert.deepEqual(await cookies(context), [SECURE_NAME, 'consent', 'theme'])
  const logout = await send(page, '/auth/logout')
  assert.deepEqual([logout.status, logout.header], [204, null])
  assert.deepEqual(await cookies(context), ['consent', 'theme'])
  assert.equal(await page.evaluate("localStorage.getItem('draft')"), 'a letter')

  // What the header would do instead: it deletes cookies of the host and of the whole domain.
  await page.goto(`${url}/host/clear`)
  assert.deepEqual(await cookies(context), [])
})
