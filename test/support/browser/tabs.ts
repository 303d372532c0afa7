import type { TestContext } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { startSite } from './site.ts'

/** The server's default grace period in milliseconds. */
export const GRACE = 30_000

/** Starts a site with Pawl and opens a browser profile for tabs. */
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

/**
 * Returns the status of a request that the tab sends with its token, refreshed if necessary. It is
 * 401, too, if the session has ended before the request could be sent.
 */
export const me = (page: Page) =>
  page.evaluate<number>(
    "client.fetch('/auth/me').then(({ status }) => status, ({ status }) => status)",
  )
