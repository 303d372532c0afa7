import assert from 'node:assert/strict'
import {
  enter,
  exampleTest,
  openExample,
  press,
  READABLE_STATE,
  shows,
  showsInvoices,
} from '../../support/examples/spa.ts'
import { until } from '../../support/until.ts'

exampleTest('signing in or out in one tab does the same in the other', async (t, browser) => {
  const { credentials, openTab, send } = await openExample(t, browser)
  const [one, other] = [await openTab(), await openTab()]
  await enter(one, 'Sign up', credentials)
  await showsInvoices(other)
  const token = other.accessToken()
  assert.equal((await send(token, 'GET', '/api/invoices')).status, 200)

  await press(one, 'Sign out')
  await shows(one, 'You are signed out.')
  await shows(other, 'You signed out in another tab.')
  assert.equal((await send(token, 'GET', '/api/invoices')).status, 401)
  await other.page.reload()
  await other.page.getByLabel('Password').waitFor()

  await enter(other, 'Sign in', credentials)
  await showsInvoices(one)
})

exampleTest(
  'if an administrator ends the session, every tab asks to sign in again',
  async (t, browser) => {
    const { credentials, openTab, send, administer } = await openExample(t, browser)
    const tabs = [await openTab(), await openTab()]
    const [one, other] = tabs as [(typeof tabs)[0], (typeof tabs)[0]]
    await enter(one, 'Sign up', credentials)
    for (const tab of tabs) await showsInvoices(tab)
    const tokens = tabs.map((tab) => tab.accessToken())

    const admin = await administer()
    assert.equal((await admin('DELETE', '/sessions')).status, 204)
    for (const token of tokens)
      assert.equal((await send(token, 'GET', '/api/invoices')).status, 401)

    await press(one, 'Reload')
    for (const tab of tabs) await shows(tab, 'Your session has ended. Please sign in again.')
    await enter(other, 'Sign in', credentials)
    for (const tab of tabs) await showsInvoices(tab)
  },
)

exampleTest(
  'no token is in a storage, the page, its address or the console',
  async (t, browser) => {
    const { credentials, context, openTab, send, administer } = await openExample(t, browser, {
      ACCESS_TOKEN_TTL: '4s',
    })
    const printed: string[] = []
    context.on('console', (message) => printed.push(message.text()))
    context.on('weberror', (error) => printed.push(`${error.error().stack}`))
    const [one, other] = [await openTab(), await openTab()]
    const checkForTokens = async (stage: string) => {
      for (const { page } of [one, other]) {
        const found = await page.evaluate<string>(READABLE_STATE)
        assert.match(found, /Invoices/)
        assert.doesNotMatch(found, /eyJ/, stage)
      }
    }

    await checkForTokens('before sign-in')
    await enter(one, 'Sign in', credentials)
    await shows(one, 'E-mail or password is wrong')
    await enter(one, 'Sign up', credentials)
    for (const tab of [one, other]) await showsInvoices(tab)
    await checkForTokens('signed in')
    await press(one, 'Pay')
    await shows(one, 'Not allowed for this user')
    const token = one.accessToken()
    assert.match(token, /^eyJ/)
    await until(async () => (await send(token, 'GET', '/api/invoices')).status === 401)
    await press(other, 'Reload')
    await until(() => other.accessToken() !== token)
    await one.page.reload()
    await showsInvoices(one)
    await checkForTokens('after a refresh and a reload')
    await (await administer())('DELETE', '/sessions')
    await press(one, 'Reload')
    for (const tab of [one, other])
      await shows(tab, 'Your session has ended. Please sign in again.')
    await checkForTokens('at the end')

    // Chromium itself prints each refusal.
    assert.ok(printed.some((text) => text.includes('401')))
    assert.doesNotMatch(printed.join('\n'), /eyJ/)
  },
)
