import assert from 'node:assert/strict'
import {
  enter,
  exampleTest,
  openExample,
  press,
  shows,
  showsInvoices,
} from '../../support/examples/spa.ts'
import { until } from '../../support/until.ts'

exampleTest(
  'a new user sees the list, and may change it only with the permission',
  async (t, browser) => {
    const { credentials, openTab, administer } = await openExample(t, browser)
    const tab = await openTab()
    await enter(tab, 'Sign up', credentials)
    await showsInvoices(tab)

    const create = async () => {
      await tab.page.getByLabel('Customer').fill('Daniels')
      await tab.page.getByLabel('Euros').fill('250')
      await press(tab, 'Create')
    }
    await create()
    await shows(tab, 'Not allowed for this user')
    await press(tab, 'Reload')
    await tab.page.getByText('Not allowed').waitFor({ state: 'detached' })
    await press(tab, 'Pay')
    await shows(tab, 'Not allowed for this user')
    assert.equal(await tab.page.getByText('Daniels').count(), 0)

    // The new role applies at once: the server refuses the old token, and the client refreshes
    // without the user noticing.
    const admin = await administer()
    assert.equal((await admin('PATCH', '', { roles: ['accountant'] })).status, 200)
    await create()
    await showsInvoices(tab, 3)
    await shows(tab, '3. Daniels')
    await tab.page.getByRole('button', { name: 'Pay' }).first().click()
    await until(async () => (await tab.page.getByText('paid').count()) === 2)
  },
)

exampleTest(
  'an expired access token is replaced without a message to the user',
  async (t, browser) => {
    const { credentials, openTab, send } = await openExample(t, browser, { ACCESS_TOKEN_TTL: '4s' })
    const tab = await openTab()
    await enter(tab, 'Sign up', credentials)
    await showsInvoices(tab)
    const first = tab.accessToken()
    await until(async () => (await send(first, 'GET', '/api/invoices')).status === 401)

    const before = tab.calls.length
    const list = tab.page.waitForResponse(
      (response) => response.url().endsWith('/api/invoices') && response.ok(),
    )
    await press(tab, 'Reload')
    await list
    const since = tab.calls.slice(before).map(({ call, status }) => `${call} ${status}`)
    // By its own clock, the page may consider the token valid for a moment longer than the server.
    const others = since.filter((one) => one !== 'GET /api/invoices 401')
    assert.deepEqual(others, ['POST /auth/refresh 200', 'GET /api/invoices 200'])
    assert.notEqual(tab.accessToken(), first)
    await showsInvoices(tab)
    assert.equal(await tab.page.getByRole('alert').textContent(), '')

    await tab.page.reload()
    await showsInvoices(tab)
  },
)
