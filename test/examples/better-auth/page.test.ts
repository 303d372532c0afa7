import assert from 'node:assert/strict'
import { browserTest, visit } from '../../support/browser/browser.ts'
import { newEmail, PASSWORD } from '../../support/credentials.ts'
import { betterAuth } from '../../support/examples/better-auth.ts'

browserTest(
  'the page signs up with better-auth, stays signed in with Pawl, and signs in again',
  async (t, browser) => {
    const page = await (await browser.newContext()).newPage()
    const complaints = await visit(page, (await betterAuth.startAtIssuer(t)).url)
    const email = newEmail()
    const press = (name: string) => page.getByRole('button', { name }).click()
    const shows = (text: string) => page.getByText(text).waitFor()

    await page.getByLabel('E-mail').fill(email)
    await page.getByLabel('Password').fill(PASSWORD)
    await press('Sign up')
    await shows('"userId"')
    await page.reload()
    await shows('"userId"')

    await press('Sign out')
    await page.getByLabel('E-mail').fill(email)
    await page.getByLabel('Password').fill('something else entirely')
    await press('Sign in')
    await shows('Invalid email or password')
    await page.getByLabel('Password').fill(PASSWORD)
    await press('Sign in')
    await shows('"userId"')
    assert.deepEqual(complaints, [])
  },
  betterAuth.missing,
)
