import assert from 'node:assert/strict'
import type { Locator, Page } from 'playwright-core'
import { violationsOf } from '../support/browser/accessibility.ts'
import { browserTest, openPage, serve } from '../support/browser/browser.ts'

const PHONE = { viewport: { width: 390, height: 844 } }

const you = (page: Page) => page.getByRole('region', { name: 'You', exact: true })
const thief = (page: Page) => page.getByRole('region', { name: 'The thief' })
const press = (scope: Page | Locator, name: string) => scope.getByRole('button', { name }).click()
const shows = (page: Page, title: string) =>
  page.getByRole('status').getByRole('heading', { name: title, exact: true }).waitFor()

/** Plays the theft up to its detection. Calls `look` after each step. */
async function playTheft(page: Page, look: () => Promise<void>): Promise<void> {
  await look()
  await press(page, 'Sign up')
  await shows(page, 'Generation 1')
  await look()
  await press(page, 'Steal this token')
  await press(thief(page), 'Refresh')
  await shows(page, 'One notch forward: generation 2')
  await look()
  await page.getByText('grace period is over').waitFor()
  await press(you(page), 'Refresh')
  await shows(page, 'Theft detected')
  await look()
}

for (const [kind, options] of Object.entries({
  'a desktop': { colorScheme: 'light' },
  'a desktop, dark': { colorScheme: 'dark' },
  'a phone': PHONE,
} as const)) {
  browserTest(`axe-core finds no fault in the playground on ${kind}`, async (t, browser) => {
    const { page } = await openPage(browser, await serve(t, { GRACE: '1s' }), options)
    await page.getByRole('button', { name: 'Sign up' }).waitFor()
    await playTheft(page, async () => assert.deepEqual(await violationsOf(page), []))
  })
}

/** Returns the part of the element that the viewport shows, from 0 to 1. */
const visiblePart = (page: Page, selector: string) =>
  page.evaluate(`new Promise((resolve) => {
    new IntersectionObserver(([entry]) => resolve(entry.intersectionRatio))
      .observe(document.querySelector('${selector}'))
  })`)

for (const width of [390, 360]) {
  browserTest(
    `a phone of ${width} px shows what happened beside the button`,
    async (t, browser) => {
      const url = await serve(t, { GRACE: '1s' })
      const { page } = await openPage(browser, url, { viewport: { width, height: 844 } })
      await page.getByRole('button', { name: 'Sign up' }).waitFor()
      await playTheft(page, async () => {
        if (!(await you(page).isVisible())) return
        for (const part of ['#story-title', '#story-text'])
          assert.equal(await visiblePart(page, part), 1, part)
      })
      await thief(page).getByText('signed out', { exact: true }).scrollIntoViewIfNeeded()
      assert.equal(await visiblePart(page, '#story-title'), 1)
    },
  )
}
