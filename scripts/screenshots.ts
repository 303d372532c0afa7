import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { findChromium, launch } from '../test/support/services/chromium.ts'

/** `npm run screenshots` takes the README's pictures from a real server in its embedded default. */
const FOLDER = fileURLToPath(new URL('../docs/images/', import.meta.url))
const SERVER = fileURLToPath(new URL('../src/server.ts', import.meta.url))
const PHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1'
const DESK = { viewport: { width: 1280, height: 1000 }, deviceScaleFactor: 1.25 }
const SMALL = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 }

const heading = (page: Page, name: string) =>
  page.getByRole('heading', { name, exact: true }).waitFor()
const press = (page: Page, pane: string, name: string) =>
  page
    .getByRole('region', { name: pane, exact: true })
    .getByRole('button', { name, exact: true })
    .click()

async function picture(
  browser: Browser,
  url: string,
  name: string,
  options: BrowserContextOptions,
  showsTheft: boolean,
): Promise<void> {
  const context = await browser.newContext({ reducedMotion: 'reduce', locale: 'en-GB', ...options })
  const page = await context.newPage()
  await page.goto(url)
  await page.getByLabel('Email').fill(`ada.${name}@example.com`)
  const password = await page.getByLabel('Password').inputValue()
  await page.getByRole('button', { name: 'Sign up' }).click()
  await heading(page, 'Generation 1')
  await fetch(`${url}/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': PHONE },
    body: JSON.stringify({ email: `ada.${name}@example.com`, password }),
  })
  for (let generation = 2; generation <= 12; generation++) {
    await press(page, 'You', 'Refresh')
    await heading(page, `One notch forward: generation ${generation}`)
  }
  await press(page, 'Nobody else', 'Steal this token')
  await press(page, 'The thief', 'Refresh')
  await heading(page, 'One notch forward: generation 13')
  if (showsTheft) {
    await page.getByText('grace period is over').waitFor({ timeout: 60_000 })
    await press(page, 'You', 'Refresh')
    await heading(page, 'Theft detected')
    await page
      .getByRole('log')
      .getByText(/^Thief\s*GET/)
      .waitFor()
  } else {
    await page
      .getByRole('listitem')
      .filter({ hasText: 'iOS' })
      .waitFor({ timeout: 5_000 })
      .catch(() => {})
    await page.getByText(/one generation behind. For 2[0-4]\ss/).waitFor()
  }
  await page.mouse.move(0, 0)
  await page.evaluate('scrollTo(0, 0)')
  await page.screenshot({ path: join(FOLDER, `playground-${name}.png`) })
  await context.close()
}

async function main(): Promise<void> {
  const found = await findChromium()
  if ('missing' in found) throw new Error(found.missing)
  const dataDir = await mkdtemp(join(tmpdir(), 'pawl-screenshots-'))
  const { PATH = '', HOME = '' } = process.env
  const server = spawn(process.execPath, ['--import', 'tsx', SERVER], {
    env: { PATH, HOME, PORT: '0', PAWL_DATA_DIR: join(dataDir, 'data'), RATE_LIMIT: 'off' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(server, 'close')
  const browser = await launch(found)
  try {
    await mkdir(FOLDER, { recursive: true })
    const url = await listening(server.stdout)
    await Promise.all([
      picture(browser, url, 'light', DESK, false),
      picture(browser, url, 'dark', { ...DESK, colorScheme: 'dark' }, true),
      picture(browser, url, 'phone', SMALL, true),
    ])
  } finally {
    await browser.close()
    server.kill()
    await ended
    await rm(dataDir, { recursive: true, force: true })
  }
}

function listening(output: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = ''
    // Reads as long as the server runs, because a full pipe would block the server.
    output.on('data', (chunk) => {
      printed = (printed + chunk).slice(-10_000)
      const url = /Pawl listens on (\S+)/.exec(printed)?.[1]
      if (url) resolve(url)
    })
    output.once('end', () => reject(new Error(`the server ended:\n${printed}`)))
  })
}

await main()
