import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { browserTest } from '../support/browser/browser.ts'
import { GRACE, me, start } from '../support/browser/tabs.ts'
import { until } from '../support/until.ts'

browserTest('if an administrator ends the session, every tab signs out', async (t, browser) => {
  const { site, open, signIn } = await start(t, browser)
  const tabs = [await open(), await open()]
  const [one] = tabs as [Page]
  await signIn(one)
  for (const tab of tabs) assert.equal(await me(tab), 200)
  await site.endSessions()

  const refused = await Promise.all(tabs.map(me))
  assert.deepEqual(refused, [401, 401])
  for (const tab of tabs) {
    await tab.waitForFunction('changes.length === 2')
    const last = await tab.evaluate<{ signedIn: boolean; reason: string }>('changes[1]')
    assert.deepEqual([last.signedIn, last.reason], [false, 'ended'])
    assert.equal(await tab.evaluate('client.token().then((token) => token ?? null)'), null)
    assert.equal(await me(tab), 401)
  }
  // Only one of the two tabs sent a refresh.
  assert.deepEqual(
    site.refreshes().map(({ status }) => status),
    [401],
  )
})

const KILLS: Record<string, (page: Page) => Promise<unknown>> = {
  'is closed': (page) => page.close(),
  crashes: async (page) => {
    const crashed = page.waitForEvent('crash')
    page.goto('chrome://crash').catch(() => {})
    await crashed
  },
}

for (const held of ['all', 'body'] as const) {
  const part = held === 'all' ? 'the response to its refresh' : 'the body of that response'
  for (const [how, kill] of Object.entries(KILLS)) {
    browserTest(
      `a tab that ${how} before ${part} arrives leaves the next tab signed in`,
      async (t, browser) => {
        const { site, open, signIn } = await start(t, browser)
        const page = await open()
        await signIn(page)
        site.held = held
        const cookie = held === 'body' && page.waitForResponse(/refresh/)
        await page.evaluate('void client.refresh().catch(() => {})')
        await until(() => site.refreshes().length === 1)
        await cookie
        await kill(page)
        await until(() => site.unreceived === 1)
        site.held = undefined
        // From now on, a spent token without the key of the lost attempt is reuse.
        site.clock.advance(10 * GRACE)

        const next = await open()
        assert.equal(await me(next), 200)
        assert.equal(
          await next.evaluate('client.refresh().then((token) => typeof token)'),
          'string',
        )
        const outcomes = held === 'all' ? { rotated: 2, replayed: 1 } : { rotated: 3 }
        assert.deepEqual(await site.outcomes(), outcomes)
        assert.deepEqual(await next.evaluate('changes.map(({ reason }) => reason)'), ['restored'])
      },
    )
  }
}
