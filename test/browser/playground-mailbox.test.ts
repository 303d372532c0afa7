import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Page } from 'playwright-core'
import { loadConfig } from '../../src/config/config.ts'
import { buildServer } from '../../src/server.ts'
import { violationsOf } from '../support/browser/accessibility.ts'
import { browserTest, openPage } from '../support/browser/browser.ts'
import { cleanUp } from '../support/clean-up.ts'
import { PASSWORD } from '../support/credentials.ts'
import { temporaryFolder } from '../support/temporary-files.ts'

/** Starts the embedded default, which has no mail server. */
async function serveEmbedded(t: TestContext): Promise<string> {
  const env = {
    PAWL_DATA_DIR: join(await temporaryFolder(t), 'data'),
    LOG_LEVEL: 'fatal',
    RATE_LIMIT: 'off',
    ARGON2_MEMORY_KIB: '1024',
    REVOCATION_MAX_STALENESS: '10s',
  }
  const app = await buildServer(loadConfig(env))
  cleanUp(t, () => app.close())
  return app.listen({ host: '127.0.0.1', port: 0 })
}

const mailbox = (page: Page) => page.getByRole('region', { name: 'Mailbox' })
const mail = (page: Page, subject: RegExp) =>
  mailbox(page).getByRole('listitem').filter({ hasText: subject })
const press = (page: Page, name: string | RegExp) =>
  page.getByRole('button', { name, exact: typeof name === 'string' }).click()
const shows = (page: Page, title: string) =>
  page.getByRole('status').getByRole('heading', { name: title, exact: true }).waitFor()
const useLink = (page: Page, subject: RegExp) =>
  mail(page, subject)
    .getByRole('button', { name: /Use the link/ })
    .first()
    .click()

browserTest(
  'sign up, verify, forget, reset on a second device: the first device falls out, notices arrive',
  async (t, browser) => {
    const url = await serveEmbedded(t)
    const { page: first, complaints } = await openPage(browser, url)
    await press(first, 'Sign up')
    await shows(first, 'Generation 1')
    const email = await first.getByLabel('Email').inputValue()

    await mail(first, /confirm|verify/i).waitFor()
    assert.deepEqual(await violationsOf(first), [])
    await useLink(first, /confirm|verify/i)
    await shows(first, 'Address verified')
    await useLink(first, /confirm|verify/i)
    await shows(first, 'This link is void')

    const { page: second } = await openPage(browser, url)
    await second.getByLabel('Email').fill(email)
    await press(second, 'Forget the password')
    await shows(second, 'A mail is on its way')
    await useLink(second, /new password|reset/i)
    await second.getByRole('textbox', { name: 'New password' }).fill(`${PASSWORD}, or two`)
    await press(second, 'Set the new password')
    await shows(second, 'New password, every session ended')

    await press(first, 'Call the API')
    await shows(first, 'Access denied')
    await mail(second, /password (was|has been) (reset|changed)/i).waitFor()
    await second.getByLabel('Password', { exact: true }).fill(`${PASSWORD}, or two`)
    await press(second, 'Sign in')
    await shows(second, 'Generation 1')
    // The browser reports the response to the void link.
    assert.deepEqual(
      complaints.filter((text) => !text.includes('status of 400')),
      [],
    )
  },
)
