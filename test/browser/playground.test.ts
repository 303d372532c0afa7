import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { browserTest, openPage, serve, visit } from '../support/browser/browser.ts'

const NARROW = { viewport: { width: 360, height: 740 } }

const you = (page: Page) => page.getByRole('region', { name: 'You', exact: true })
const thief = (page: Page) => page.getByRole('region', { name: 'The thief' })
const press = (scope: Page | ReturnType<typeof you>, name: string) =>
  scope.getByRole('button', { name }).click()
const shows = (page: Page, title: string) =>
  page.getByRole('status').getByRole('heading', { name: title, exact: true }).waitFor()

/** Waits until the page has counted the grace period down. */
const graceIsOver = (page: Page) => page.getByText('grace period is over').waitFor()

async function begin(page: Page): Promise<void> {
  await press(page, 'Sign up')
  await shows(page, 'Generation 1')
}

browserTest(
  'a refresh turns the wheel, and reuse after the grace period signs both holders out',
  async (t, browser) => {
    const { page, complaints } = await openPage(browser, await serve(t, { GRACE: '1s' }))
    await begin(page)
    await press(you(page), 'Refresh')
    await shows(page, 'One notch forward: generation 2')
    await you(page).getByText('generation 2, the newest').waitFor()

    await press(page, 'Steal this token')
    await thief(page).getByText('generation 2, the newest').waitFor()
    await press(thief(page), 'Refresh')
    await shows(page, 'One notch forward: generation 3')
    await you(page).getByText('generation 2, spent').waitFor()

    await graceIsOver(page)
    await press(you(page), 'Refresh')
    await shows(page, 'Theft detected')
    for (const pane of [you(page), thief(page)])
      await pane.getByText('signed out', { exact: true }).waitFor()
    const log = page.getByRole('log')
    for (const who of ['You', 'Thief'])
      await log.getByText(new RegExp(`^${who}\\s*GET /auth/me\\s*401`)).waitFor()

    await press(you(page), 'Sign in again')
    await shows(page, 'Generation 1')
    await thief(page).waitFor({ state: 'hidden' })
    assert.deepEqual(complaints, [])
  },
)

browserTest('within the grace period both holders get the same successor', async (t, browser) => {
  const { page } = await openPage(browser, await serve(t, { GRACE: '1h' }))
  await begin(page)
  await press(page, 'Steal this token')
  await press(thief(page), 'Refresh')
  await shows(page, 'One notch forward: generation 2')
  await press(you(page), 'Refresh')
  await shows(page, 'Generation 1 again, within the grace period')
  const tokens = await Promise.all(
    [you(page), thief(page)].map((pane) => pane.locator('dd code').first().textContent()),
  )
  assert.equal(tokens[0], tokens[1])
})

browserTest(
  'a retry with the same key repairs a lost response even after the grace period',
  async (t, browser) => {
    const { page } = await openPage(browser, await serve(t, { GRACE: '1s' }))
    await begin(page)
    await press(you(page), 'Lose a response')
    await shows(page, 'The response was lost')
    await you(page).getByText('generation 1, spent').waitFor()
    await page.getByText('would look like theft now').waitFor()
    await press(you(page), 'Retry with its key')
    await shows(page, 'Same attempt, same response: generation 2')
    await press(you(page), 'Call the API')
    await shows(page, 'Access granted')
  },
)

/** Opens a second tab with the page's own link. That tab signs in by itself. */
async function openSecond(first: Page): Promise<{ second: Page; refreshToken: string }> {
  const context = first.context()
  const login = context.waitForEvent('response', (response) =>
    response.url().endsWith('/auth/login'),
  )
  const opened = context.waitForEvent('page')
  await first.getByRole('link', { name: 'Open a second device' }).click()
  const second = await opened
  const { refreshToken } = await (await login).json()
  await shows(second, 'Generation 1')
  return { second, refreshToken }
}

browserTest(
  'a second tab has its own session and reports that it was ended elsewhere',
  async (t, browser) => {
    const url = await serve(t)
    const { page: first, complaints } = await openPage(browser, url)
    await begin(first)
    const { second, refreshToken } = await openSecond(first)
    const body = JSON.stringify({ refreshToken })
    const headers = { 'content-type': 'application/json' }
    const ended = await fetch(`${url}/auth/logout`, { method: 'POST', headers, body })
    assert.equal(ended.status, 204)

    await second.bringToFront()
    await shows(second, 'Ended elsewhere')
    await you(second).getByText('signed out', { exact: true }).waitFor()
    await first.bringToFront()
    await press(you(first), 'Call the API')
    await shows(first, 'Access granted')
    assert.deepEqual(complaints, [])
  },
)

browserTest(
  'a session that is ended in the list is reported as ended in its own tab',
  async (t, browser) => {
    const url = await serve(t)
    const { page: first } = await openPage(browser, url)
    await begin(first)
    const { second } = await openSecond(first)
    await first.bringToFront()
    const others = first.getByRole('listitem').filter({ hasNotText: 'this one' })
    await others.getByRole('button', { name: /^End the session of/ }).click()
    await others.getByRole('button', { name: /^End the session of/ }).waitFor({ state: 'detached' })
    await second.bringToFront()
    await shows(second, 'Ended elsewhere')
    await press(you(second), 'Sign in again')
    await shows(second, 'Generation 1')
  },
)

browserTest(
  'the page can be used with the keyboard alone, and the focus is visible',
  async (t, browser) => {
    const { page } = await openPage(browser, await serve(t))
    await page.getByRole('button', { name: 'Sign up' }).waitFor()
    const focused = () =>
      page.evaluate('document.activeElement.textContent.trim()') as Promise<string>
    const tabTo = async (name: string) => {
      for (let presses = 0; presses < 40; presses++) {
        if ((await focused()) === name) return
        await page.keyboard.press('Tab')
      }
      throw new Error(`no '${name}' within 40 presses of Tab`)
    }
    await tabTo('Sign up')
    await page.keyboard.press('Enter')
    await shows(page, 'Generation 1')
    assert.equal(await focused(), 'Refresh')
    const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')
    assert.equal(outline, 'solid')
    await page.keyboard.press('Enter')
    await shows(page, 'One notch forward: generation 2')
    await tabTo('Steal this token')
    await page.keyboard.press('Space')
    await shows(page, 'Somebody copied generation 2')
    await page.keyboard.press('Enter')
    await shows(page, 'One notch forward: generation 3')
    await thief(page).getByText('generation 3, the newest').waitFor()
  },
)

/** Elements that need a name for screen readers. */
const NAMED = 'button, a, input, svg[role=img], progress, section, [role=log]'
/** Finds those elements that have no such name. */
const WITHOUT_NAME = `[...document.querySelectorAll('${NAMED}')]
  .filter((element) => element.checkVisibility())
  .filter((element) => {
    const labels = [...(element.labels ?? [])].map((label) => label.textContent)
    const ids = (element.getAttribute('aria-labelledby') ?? '').split(' ').filter(Boolean)
    const by = ids.map((id) => document.getElementById(id)?.textContent)
    const own = element.matches('section') ? '' : element.textContent
    return ![element.getAttribute('aria-label'), own, ...labels, ...by].some((text) => text?.trim())
  }).map((element) => element.outerHTML.slice(0, 80))`

const REPEATED_IDS = `[...document.querySelectorAll('[id]')]
  .map(({ id }) => id)
  .filter((id, index, all) => all.indexOf(id) !== index)`

/** Finds text whose contrast with its background is below level AA of WCAG 2. */
const FAINT = `(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })
  const rgb = (colour, under) => {
    canvas.fillStyle = under; canvas.fillRect(0, 0, 1, 1)
    canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1)
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3)
  }
  const light = (colour) => colour.map((value) => value / 255)
    .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0)
  const behind = (element) => element
    ? 'rgb(' + rgb(getComputedStyle(element).backgroundColor, behind(element.parentElement)) + ')'
    : 'white'
  const faint = []
  for (const element of document.querySelectorAll('body *:not(svg *)')) {
    if (!element.checkVisibility() || element.matches('[aria-disabled]')) continue
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue
    const under = behind(element)
    const colours = [rgb(getComputedStyle(element).color, under), rgb(under, under)]
    const [a, b] = colours.map(light).sort((x, y) => y - x)
    const ratio = (a + 0.05) / (b + 0.05)
    if (ratio < 4.5) faint.push(element.textContent.slice(0, 30) + ' ' + ratio.toFixed(2))
  }
  return faint
})()`

browserTest(
  'everything has a name and enough contrast, and a phone needs no sideways scrolling',
  async (t, browser) => {
    const url = await serve(t, { GRACE: '0s' })
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, complaints } = await openPage(browser, url, { colorScheme, ...NARROW })
      const check = async (stage: string) => {
        assert.deepEqual(await page.evaluate(WITHOUT_NAME), [], stage)
        assert.deepEqual(await page.evaluate(REPEATED_IDS), [], stage)
        assert.deepEqual(await page.evaluate(FAINT), [], `${stage}, ${colorScheme}`)
        assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 360, stage)
      }
      await page.getByRole('button', { name: 'Sign up' }).waitFor()
      assert.equal(await page.getByRole('heading', { level: 1 }).count(), 1)
      for (const landmark of ['banner', 'navigation', 'main', 'contentinfo'] as const)
        assert.equal(await page.getByRole(landmark).count(), 1, landmark)
      await check('before sign-in')
      await begin(page)
      await page.getByRole('region', { name: 'Sessions of this account' }).waitFor()
      await check('in a session')
      await press(page, 'Steal this token')
      await press(thief(page), 'Refresh')
      await shows(page, 'One notch forward: generation 2')
      await check('with a thief')
      await press(you(page), 'Refresh')
      await shows(page, 'Theft detected')
      await you(page).getByText('signed out', { exact: true }).waitFor()
      await check('after the theft was detected')
      assert.deepEqual(complaints, [])
      await page.context().close()
    }
  },
)

browserTest('a wrong password is reported in the form', async (t, browser) => {
  const { page } = await openPage(browser, await serve(t))
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('alert').getByText(/./).waitFor()
  assert.equal(await you(page).isVisible(), false)
  assert.deepEqual(await visit(page, page.url()), [])
})
