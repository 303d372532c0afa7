import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { signUp } from '../support/app-requests.ts'
import { browserTest } from '../support/browser/browser.ts'
import { me, start } from '../support/browser/tabs.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { until } from '../support/until.ts'

/** Returns the user of an access token in the tab, or null. */
const userOf = (page: Page) =>
  page.evaluate<string | null>(`client.token().then((token) =>
    token ? JSON.parse(atob(token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/'))).sub : null)`)

/** Signs out and signs in as another user. */
const switchUser = (page: Page, credentials: object) =>
  page.evaluate(`client.logout().then(() => client.login(${JSON.stringify(credentials)}))`)

browserTest(
  'a request is not sent again as the user who signs in meanwhile',
  async (t, browser) => {
    const { site, context, open, signIn } = await start(t, browser)
    const second = { email: newEmail(), password: PASSWORD }
    await signUp(site.app, second.email)
    const [one, other] = [await open(), await open()]
    await signIn(one)
    const sent: (string | undefined)[] = []
    let respond = () => {}
    const isChanged = new Promise<void>((resolve) => {
      respond = resolve
    })
    await context.route('**/api/notes', async (route) => {
      sent.push(route.request().headers().authorization)
      await isChanged
      await route.fulfill({ status: 401, body: '' })
    })
    const own = await one.evaluate<string>('client.token()')
    const status = one.evaluate<number>(
      "client.fetch('/api/notes', { method: 'POST', body: 'mine' }).then(({ status }) => status)",
    )
    await until(() => sent.length === 1)
    await switchUser(other, second)
    respond()
    assert.equal(await status, 401)
    assert.deepEqual(sent, [`Bearer ${own}`])
    assert.equal(await userOf(one), await userOf(other))
  },
)

browserTest(
  'two users, one by cookie and one by storage, live beside each other',
  async (t, browser) => {
    const { site, open, signIn } = await start(t, browser)
    const second = { email: newEmail(), password: PASSWORD }
    await signUp(site.app, second.email)
    const [byCookie, byStorage] = [await open(), await open('?storage')]
    await signIn(byCookie)
    await byStorage.evaluate(`client.login(${JSON.stringify(second)})`)
    const users = [await userOf(byCookie), await userOf(byStorage)]
    assert.notEqual(users[0], users[1])
    for (let round = 0; round < 2; round++) {
      for (const page of [byCookie, byStorage]) {
        await page.reload()
        await page.waitForFunction('window.ready')
        assert.equal(await me(page), 200)
      }
      assert.deepEqual([await userOf(byCookie), await userOf(byStorage)], users)
    }
    await byCookie.evaluate('client.logout()')
    assert.equal(await userOf(byCookie), null)
    assert.equal(await userOf(byStorage), users[1])
  },
)

browserTest(
  'tabs with a storage of their own are not signed in by each other',
  async (t, browser) => {
    const { open, signIn } = await start(t, browser)
    const [one, other] = [await open('?memory'), await open('?memory')]
    await signIn(one)
    assert.equal(await me(one), 200)
    assert.equal(await userOf(other), null)
    assert.deepEqual(await other.evaluate('changes'), [])
  },
)

for (const [what, status, type] of [
  ['HTML with status 401', 401, 'text/html'],
  ['HTML with status 200', 200, 'text/html'],
  ['an empty object', 200, 'application/json'],
] as const) {
  browserTest(`${what} in the name of Pawl signs nobody out`, async (t, browser) => {
    const { site, context, open, signIn } = await start(t, browser)
    const page = await open()
    await signIn(page)
    const body = type === 'text/html' ? '<!doctype html>' : '{}'
    await context.route('**/auth/*', (route) => route.fulfill({ status, contentType: type, body }))
    for (const call of ['refresh', 'logout'])
      assert.deepEqual(
        await page.evaluate(`client.${call}().then(() => null, ({ offline }) => offline)`),
        true,
      )
    assert.equal(await page.evaluate('changes.length'), 1)
    await context.unroute('**/auth/*')
    assert.equal(await page.evaluate('client.refresh().then((token) => typeof token)'), 'string')
    assert.equal(site.refreshes().length, 1)
  })
}

browserTest('a request that is aborted does not wait for a refresh', async (t, browser) => {
  const { site, open, signIn } = await start(t, browser)
  const page = await open()
  await signIn(page)
  await page.reload()
  await page.waitForFunction('window.ready')
  site.held = 'all'
  await page.evaluate(`void (window.controller = new AbortController(),
    window.outcome = client.fetch('/auth/me', { signal: controller.signal }).catch(({ name }) => name))`)
  await until(() => site.refreshes().length === 1)
  assert.equal(await page.evaluate('(controller.abort(), outcome)'), 'AbortError')
  assert.ok(site.calls.every(({ call }) => call !== 'GET /auth/me'))
  site.held = undefined
})
