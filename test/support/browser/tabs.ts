import type { TestContext } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { startSite } from './site.ts'

/** The server's default, in milliseconds. */
export const GRACE = 30_000

/** A site with Pawl, and a browser profile with as many tabs as one opens. */
export async function start(t: TestContext, browser: Browser) {
  const [site, context] = [await startSite(t), await browser.newContext()]
  async function open(query = ''): Promise<Page> {
    const page = await context.newPage()
    await page.goto(`${site.url}/${query}`)
    await page.waitForFunction('window.ready')
    return page
  }
  const signIn = (page: Page) => page.evaluate(`client.login(${JSON.stringify(site.credentials)})`)
  return { site, context, open, signIn }
}

/** The status of a call with what the tab has; it is refreshed first where need be. */
export const me = (page: Page) =>
  page.evaluate<number>("client.fetch('/auth/me').then(({ status }) => status)")
