import assert from 'node:assert/strict'
import { enter, exampleTest, openExample, press, shows } from '../../support/examples/spa.ts'

exampleTest('the form says what is wrong, in words for people', async (t, browser) => {
  const { context, credentials, openTab } = await openExample(t, browser)
  const tab = await openTab()
  await enter(tab, 'Sign up', { ...credentials, password: 'short' })
  const message = tab.page.locator('#password-problem')
  await message.filter({ hasText: /\w/ }).waitFor()
  assert.doesNotMatch((await message.textContent()) ?? '', /[\\^$|]/)

  await context.setOffline(true)
  await enter(tab, 'Sign in', credentials)
  await shows(tab, 'There is no connection. Please try again.')
  await context.setOffline(false)

  await context.route('**/auth/login', (route) =>
    route.fulfill({
      status: 429,
      headers: { 'retry-after': '3' },
      contentType: 'application/problem+json',
      body: JSON.stringify({
        type: 'urn:pawl:problem:rate-limited',
        title: 'Too many requests',
        status: 429,
        code: 'RATE_LIMITED',
      }),
    }),
  )
  await press(tab, 'Sign in')
  await tab.page.getByText(/^Too many requests. Please wait \d s.$/).waitFor()
  await shows(tab, 'Too many requests')
  assert.ok(await tab.page.getByRole('button', { name: 'Sign in' }).isEnabled())
})
