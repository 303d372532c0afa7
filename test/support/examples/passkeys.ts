import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Browser, CDPSession, Page } from 'playwright-core'
import type { TokenPair } from '../../../src/schemas/token-pair.ts'
import { browserTest, visit } from '../browser/browser.ts'
import { environment } from '../environment.ts'
import { createProxy } from '../proxy.ts'
import { pairOf, post } from '../server-requests.ts'
import { type Example, findExample } from './example.ts'

const SERVICE_SECRET = 'a-service-that-may-start-any-session-1'

export const passkeys: Example = findExample('passkeys', 'api/server.ts')

export const passkeysTest: typeof browserTest = (name, body) =>
  browserTest(name, body, passkeys.missing)

/** Adds a device with passkeys. Chromium uses it at once and asks nobody. */
export async function addDevice(cdp: CDPSession, isSynced = false): Promise<string> {
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      defaultBackupEligibility: isSynced,
      defaultBackupState: isSynced,
    },
  })
  return authenticatorId
}

/** Starts the example and opens its page in a browser that has one device with passkeys. */
export async function openVaultPage(t: TestContext, browser: Browser, isSynced = false) {
  // A passkey belongs to an origin, so the port must be known before the server starts.
  const proxy = await createProxy(t, 'http://127.0.0.1')
  const { port } = new URL(proxy.url)
  const url = `http://localhost:${port}`
  const env = await environment(t, { ISSUER: url, SESSION_CLIENTS: `portal:${SERVICE_SECRET}` })
  proxy.leadTo((await passkeys.start(t, env)).url)
  const page = await (await browser.newContext()).newPage()
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('WebAuthn.enable')
  const device = await addDevice(cdp, isSynced)
  let token = ''
  page.on('request', (request) => {
    token = request.headers().authorization?.slice('Bearer '.length) ?? token
  })
  const complaints = await visit(page, url)
  return {
    url,
    page,
    cdp,
    device,
    complaints,
    /** Returns the claims of the access token that the page sent last. */
    claims: () => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()),
    /** Sends a request from outside the browser. */
    send: (path: string, body: object, headers = {}) => post(url, path, body, headers),
    /**
     * Starts a session elsewhere.
     *
     * @param age Seconds since the user was authenticated.
     */
    async startSession(id: string, age = 0): Promise<TokenPair> {
      const credentials = Buffer.from(`portal:${SERVICE_SECRET}`).toString('base64')
      const body = { user: { id }, amr: ['hwk'], authTime: Math.floor(Date.now() / 1000) - age }
      const headers = { authorization: `Basic ${credentials}` }
      return pairOf(await post(url, '/service/sessions', body, headers))
    },
    /** Opens the page again, as a browser that knows nothing but the cookie of another session. */
    async continueWith({ refreshToken: value }: TokenPair): Promise<void> {
      const context = page.context()
      const [cookie] = (await context.cookies(url)).filter(({ name }) => name !== 'passkey')
      assert.ok(cookie)
      await context.addCookies([{ ...cookie, value }])
      await page.evaluate('localStorage.clear()')
      await page.reload()
    },
    /**
     * Lets the page act, but keeps its request to this path. Returns the body of the request and
     * the cookies that it had.
     */
    async intercept(path: string, act: () => Promise<void>) {
      await page.route(url + path, (route) => route.abort(), { times: 1 })
      const failed = page.waitForEvent('requestfailed', (request) => request.url() === url + path)
      await act()
      const body = (await failed).postDataJSON() as object
      const cookies = await page.context().cookies(url)
      return { body, cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; ') }
    },
  }
}

export const press = (page: Page, name: string) =>
  page.getByRole('button', { name, exact: true }).click()

export const says = (page: Page, text: string) =>
  page.locator('#message').getByText(text, { exact: true }).waitFor()

export async function signUp(page: Page): Promise<void> {
  await page.getByLabel('Your name').fill('Ada')
  await press(page, 'Create an account')
  await says(page, 'The account was created.')
}

export async function enterCode(page: Page, code: string): Promise<void> {
  await page.getByLabel('Code').fill(code)
  await press(page, 'Continue')
}

/** Sets codes up, with the code of the present step. Returns the address with the secret. */
export async function setUpCodes(page: Page, codeOf: (uri: string) => string): Promise<string> {
  await press(page, 'Set up codes')
  const hint = page.locator('#hint').getByText('otpauth:')
  const [uri = ''] = /otpauth:\S+/.exec((await hint.textContent()) ?? '') ?? []
  await enterCode(page, codeOf(uri))
  await says(page, 'Codes are set up.')
  return uri
}
