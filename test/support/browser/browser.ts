import { type TestContext, test } from 'node:test'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { cleanUp } from '../clean-up.ts'
import type { Env } from '../environment.ts'
import { build } from '../in-process-server.ts'
import { findChromium, launch } from '../services/chromium.ts'

const found = await findChromium()
if ('missing' in found && process.env.CI)
  throw new Error(`The tests need a browser: ${found.missing}`)

/**
 * Defines a test with its own Chromium. The test is skipped if there is no Chromium, or if
 * `missing` names something else that is missing. In CI it fails instead.
 */
export function browserTest(
  name: string,
  body: (t: TestContext, browser: Browser) => Promise<void>,
  missing?: string,
): void {
  test(name, { skip: 'missing' in found ? found.missing : missing || false }, async (t) => {
    if ('missing' in found) return
    const browser = await launch(found)
    cleanUp(t, () => browser.close())
    await body(t, browser)
  })
}

/** Starts the production server and returns its URL. */
export async function serve(t: TestContext, overrides: Env = {}): Promise<string> {
  const app = await build(t, { PLAYGROUND: 'true', ...overrides })
  return app.listen({ host: '127.0.0.1', port: 0 })
}

/**
 * Opens a page in a new context. `complaints` collects the errors that the browser reports, except
 * the 401s and 404s that the playground shows on purpose.
 */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; complaints: string[] }> {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options })
  const page = await context.newPage()
  return { page, complaints: await visit(page, url) }
}

/** Loads the address in the page. Returns the list to which the browser's errors are added. */
export async function visit(page: Page, url: string): Promise<string[]> {
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of (401|404)/.test(message.text()))
      complaints.push(message.text())
  })
  await page.goto(url)
  return complaints
}
