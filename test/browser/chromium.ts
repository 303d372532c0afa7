import { existsSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { type BrowserContext, chromium } from 'playwright-core'
import { cleanUp } from '../helper.ts'

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run']
ARGUMENTS.push('--disable-background-networking', '--disable-component-update', '--disable-sync')

const path = [process.env.CHROMIUM_PATH ?? '', ...PLACES].find((place) => place && existsSync(place))
if (!path && process.env.CI) throw new Error('No Chromium was found: set CHROMIUM_PATH')

/** For the options of a test: why it cannot run here, if so. */
export const skip = path ? false : 'no Chromium was found: install it, or set CHROMIUM_PATH'

/** A Chromium of its own, with an empty profile. */
export async function startChromium(t: TestContext): Promise<BrowserContext> {
  const browser = await chromium.launch({ executablePath: path ?? '', args: ARGUMENTS })
  cleanUp(t, () => browser.close())
  return browser.newContext()
}
