import assert from 'node:assert/strict'
import { browserTest, visit } from '../../support/browser/browser.ts'
import { oidc } from '../../support/examples/oidc.ts'

browserTest(
  'the page signs in by the provider, again after a sign-out, and for a payout',
  async (t, browser) => {
    const page = await (await browser.newContext()).newPage()
    const complaints = await visit(page, (await oidc.startAtIssuer(t)).url)
    const press = (name: string) => page.getByRole('button', { name }).click()
    const shows = (text: string) => page.getByText(text).waitFor()

    await page.getByRole('link', { name: 'Sign in' }).click()
    await page.getByPlaceholder('Enter any login').fill('ada')
    await page.getByPlaceholder('and password').fill('anything')
    await press('Sign-in')
    await press('Continue')
    await shows('demo|ada')
    assert.equal(new URL(page.url()).search, '')

    await press('Sign out')
    await page.getByRole('link', { name: 'Sign in' }).click()
    await shows('demo|ada')

    await press('Pay out')
    // The page went to the provider, which had asked recently, and is here again.
    await shows('"authTime": 1')
    await press('Pay out')
    await shows('Paid.')
    // The provider's page loads a font from the Internet.
    assert.deepEqual(
      complaints.filter((text) => !text.includes('net::')),
      [],
    )
  },
  oidc.missing,
)
