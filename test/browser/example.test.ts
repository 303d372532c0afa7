import assert from 'node:assert/strict'
import {
  enter,
  exampleTest,
  openExample,
  press,
  shows,
  showsInvoices,
} from '../support/browser/example.ts'
import { until } from '../support/until.ts'

exampleTest(
  'whoever signs up sees the list, and writes it only with the permission',
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

    // The new role is in force at once: the old token is refused, and the refresh that follows is not to be seen.
    const admin = await administer()
    assert.equal((await admin('PATCH', '', { roles: ['accountant'] })).status, 200)
    await create()
    await showsInvoices(tab, 3)
    await shows(tab, '3. Daniels')
    await tab.page.getByRole('button', { name: 'Pay' }).first().click()
    await until(async () => (await tab.page.getByText('paid').count()) === 2)
  },
)

exampleTest('an access token that has expired is replaced without a word', async (t, browser) => {
  const { credentials, openTab, send } = await openExample(t, browser, { ACCESS_TOKEN_TTL: '4s' })
  const tab = await openTab()
  await enter(tab, 'Sign up', credentials)
  await showsInvoices(tab)
  const first = tab.accessToken()
  await until(async () => (await send(first, 'GET', '/api/invoices')).status === 401)

  const before = tab.calls.length
  const list = tab.page.waitForResponse(
    (answer) => answer.url().endsWith('/api/invoices') && answer.ok(),
  )
  await press(tab, 'Reload')
  await list
  const since = tab.calls.slice(before).map(({ call, status }) => `${call} ${status}`)
  // By its own clock the page may take the token for good a moment longer than the server does.
  const answered = since.filter((one) => one !== 'GET /api/invoices 401')
  assert.deepEqual(answered, ['POST /auth/refresh 200', 'GET /api/invoices 200'])
  assert.notEqual(tab.accessToken(), first)
  await showsInvoices(tab)
  assert.equal(await tab.page.getByRole('alert').textContent(), '')

  await tab.page.reload()
  await showsInvoices(tab)
})
