import type { TestContext } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { browserTest } from '../browser/browser.ts'
import { newEmail, PASSWORD } from '../credentials.ts'
import { openSql } from '../database.ts'
import { type Env, environment } from '../environment.ts'
import { retryUnavailable } from '../retry-unavailable.ts'
import { pairOf, post, signUpAt } from '../server-requests.ts'
import { type Example, findExample } from './example.ts'

export const spa: Example = findExample('spa', 'api/server.ts')

export const exampleTest: typeof browserTest = (name, body) => browserTest(name, body, spa.missing)

export interface Tab {
  page: Page
  /** All requests of this tab. */
  calls: { call: string; status: number; accessToken: string | undefined }[]
  /** Returns the last access token that the tab sent. */
  accessToken(): string
}

/** Starts the example and opens a browser profile for tabs. */
export async function openExample(t: TestContext, browser: Browser, overrides: Env = {}) {
  const env = await environment(t, { ISSUER: 'http://localhost:3000', ...overrides })
  const server = await spa.start(t, env)
  const context = await browser.newContext()
  const credentials = { email: newEmail(), password: PASSWORD }

  /** Opens the app in a new tab. */
  async function openTab(profile = context): Promise<Tab> {
    const page = await profile.newPage()
    const calls: Tab['calls'] = []
    page.on('response', (response) => {
      const request = response.request()
      const call = `${request.method()} ${new URL(request.url()).pathname}`
      const accessToken = request.headers().authorization?.slice('Bearer '.length)
      calls.push({ call, status: response.status(), accessToken })
    })
    await page.goto(server.url)
    return {
      page,
      calls,
      accessToken: () => calls.findLast(({ accessToken }) => accessToken)?.accessToken ?? '',
    }
  }

  const openDevice = async () => openTab(await browser.newContext())

  /** Opens the link of the latest mail, which the example prints. Returns its token. */
  async function openMail({ page }: Tab, purpose: string): Promise<string> {
    await server.printed(`purpose=${purpose}`)
    const links = [...server.output().matchAll(/#token=([\w.-]+)&purpose=([\w-]+)/g)]
    const [fragment = '', token = ''] = links.findLast((link) => link[2] === purpose) ?? []
    await page.goto(server.url + fragment)
    return token
  }

  /** Sends a request from outside the browser. */
  const send = (accessToken: string, method: string, path: string, body?: object) =>
    retryUnavailable(() =>
      fetch(server.url + path, {
        method,
        headers: {
          authorization: `Bearer ${accessToken}`,
          ...(body && { 'content-type': 'application/json' }),
        },
        body: body ? JSON.stringify(body) : null,
      }),
    )

  /** Signs an administrator in elsewhere. Returns a function to administer the browser's user. */
  async function administer() {
    const admin = { email: newEmail(), password: PASSWORD }
    await signUpAt(server.url, admin)
    await openSql(t, env)`update users set roles = '{admin}' where email = ${admin.email}`
    const { accessToken } = await pairOf(await post(server.url, '/auth/login', admin))
    const [user] = await openSql(t, env)`select id from users where email = ${credentials.email}`
    return (method: string, path = '', body?: object) =>
      send(accessToken, method, `/admin/users/${user?.id}${path}`, body)
  }

  return { server, context, credentials, openTab, openDevice, openMail, send, administer }
}

/** Fills in the form and submits it. */
export async function enter(
  { page }: Tab,
  button: 'Sign in' | 'Sign up',
  { email, password }: { email: string; password: string },
): Promise<void> {
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: button }).click()
}

export const press = ({ page }: Tab, name: string) =>
  page.getByRole('button', { name, exact: true }).click()
export const showsInvoices = ({ page }: Tab, count = 2) =>
  page.locator(`li:nth-child(${count})`).waitFor()
export const shows = ({ page }: Tab, text: string) =>
  page.getByText(text, { exact: true }).waitFor()

/** An expression for all places where a script could find a token. */
export const READABLE_STATE = `(async () => JSON.stringify([
  await indexedDB.databases(), await caches.keys(),
  { ...localStorage }, { ...sessionStorage }, document.cookie,
  location.href, history.state, name, performance.getEntries().map(({ name }) => name),
  document.documentElement.outerHTML,
  [...document.querySelectorAll('input')].map(({ value }) => value),
]))()`
