import assert from 'node:assert/strict'
import type { BrowserContext, Page } from 'playwright-core'
import { browserTest } from '../support/browser/browser.ts'
import { me, start } from '../support/browser/tabs.ts'

const MINUTE = 60_000
const EXPIRY = 15 * MINUTE
const IDLE_LIFE = 7 * 24 * 60 * MINUTE

type Site = Awaited<ReturnType<typeof start>>['site']

/** The lid is closed on a tab, and opened again so many milliseconds later. */
async function sleep(
  site: Site,
  context: BrowserContext,
  page: Page,
  ms: number,
  noticed: boolean,
) {
  const cdp = await context.newCDPSession(page)
  await cdp.send('Page.setWebLifecycleState', { state: 'frozen' })
  site.clock.advance(ms)
  await cdp.send('Page.setWebLifecycleState', { state: 'active' })
  if (noticed) await page.clock.fastForward(ms)
  await cdp.detach()
}

for (const noticed of [true, false]) {
  const clock = noticed ? 'its clock shows' : 'its clock does not show'

  browserTest(
    `a laptop that slept past the life of the access token, which ${clock}, is signed in still`,
    async (t, browser) => {
      const { site, context, open, signIn } = await start(t, browser)
      const page = await open()
      await page.clock.install()
      await page.reload()
      await page.waitForFunction('window.ready')
      await signIn(page)
      const token = await page.evaluate<string>('client.token()')
      await sleep(site, context, page, EXPIRY + MINUTE, noticed)
      assert.equal(await site.ask(token), 401)

      const before = site.calls.length
      assert.equal(await me(page), 200)
      const refused = noticed ? [] : ['GET /auth/me 401']
      assert.deepEqual(
        site.calls.slice(before).map(({ call, status }) => `${call} ${status}`),
        [...refused, 'POST /auth/refresh 200', 'GET /auth/me 200'],
      )
      assert.deepEqual(await page.evaluate('changes.map(({ reason }) => reason)'), ['login'])
    },
  )

  browserTest(
    `a laptop that slept past the life of the session, which ${clock}, is signed out, once`,
    async (t, browser) => {
      const { site, context, open, signIn } = await start(t, browser)
      const page = await open()
      await page.clock.install()
      await page.reload()
      await page.waitForFunction('window.ready')
      await signIn(page)
      await sleep(site, context, page, IDLE_LIFE + MINUTE, noticed)

      assert.equal(await me(page), 401)
      await page.waitForFunction('changes.length === 2')
      assert.deepEqual(
        await page.evaluate('changes.map(({ signedIn, reason }) => [signedIn, reason])'),
        [
          [true, 'login'],
          [false, 'ended'],
        ],
      )
      // Nobody asks again for what is over, neither this page nor the next.
      for (const reload of [false, true]) {
        if (reload) await page.reload()
        await page.waitForFunction('window.ready')
        assert.equal(await page.evaluate('client.token().then((token) => token ?? null)'), null)
      }
      assert.deepEqual(
        site.refreshes().map(({ status }) => status),
        [401],
      )
      await signIn(page)
      assert.equal(await me(page), 200)
    },
  )
}
