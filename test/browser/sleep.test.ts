import assert from 'node:assert/strict'
import type { BrowserContext, Page } from 'playwright-core'
import { browserTest } from '../support/browser/browser.ts'
import { me, start } from '../support/browser/tabs.ts'

const MINUTE = 60_000
const EXPIRY = 15 * MINUTE
/** The server's default of REFRESH_IDLE_TTL. */
const IDLE_TTL = 7 * 24 * 60 * MINUTE

type Site = Awaited<ReturnType<typeof start>>['site']

/** Freezes a tab for this many milliseconds, and moves its clock on if it should notice. */
async function sleep(
  site: Site,
  context: BrowserContext,
  page: Page,
  ms: number,
  advancesClock: boolean,
) {
  const cdp = await context.newCDPSession(page)
  await cdp.send('Page.setWebLifecycleState', { state: 'frozen' })
  site.clock.advance(ms)
  await cdp.send('Page.setWebLifecycleState', { state: 'active' })
  if (advancesClock) await page.clock.fastForward(ms)
  await cdp.detach()
}

for (const advancesClock of [true, false]) {
  const clock = advancesClock ? 'whose clock advanced' : 'whose clock stood still'

  browserTest(
    `a laptop ${clock} is still signed in after the access token expired during sleep`,
    async (t, browser) => {
      const { site, context, open, signIn } = await start(t, browser)
      const page = await open()
      await page.clock.install()
      await page.reload()
      await page.waitForFunction('window.ready')
      await signIn(page)
      const token = await page.evaluate<string>('client.token()')
      await sleep(site, context, page, EXPIRY + MINUTE, advancesClock)
      assert.equal(await site.statusWith(token), 401)

      const before = site.calls.length
      assert.equal(await me(page), 200)
      const refused = advancesClock ? [] : ['GET /auth/me 401']
      assert.deepEqual(
        site.calls.slice(before).map(({ call, status }) => `${call} ${status}`),
        [...refused, 'POST /auth/refresh 200', 'GET /auth/me 200'],
      )
      assert.deepEqual(await page.evaluate('changes.map(({ reason }) => reason)'), ['login'])
    },
  )

  browserTest(
    `a laptop ${clock} is signed out once after the session expired during sleep`,
    async (t, browser) => {
      const { site, context, open, signIn } = await start(t, browser)
      const page = await open()
      await page.clock.install()
      await page.reload()
      await page.waitForFunction('window.ready')
      await signIn(page)
      await sleep(site, context, page, IDLE_TTL + MINUTE, advancesClock)

      assert.equal(await me(page), 401)
      await page.waitForFunction('changes.length === 2')
      assert.deepEqual(
        await page.evaluate('changes.map(({ signedIn, reason }) => [signedIn, reason])'),
        [
          [true, 'login'],
          [false, 'ended'],
        ],
      )
      // Neither this page nor the next one tries to refresh a session that has ended.
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
