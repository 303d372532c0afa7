import assert from 'node:assert/strict'
import { violationsOf } from '../../support/browser/accessibility.ts'
import { enter, exampleTest, openExample, showsInvoices } from '../../support/examples/spa.ts'

exampleTest('axe-core finds no fault in the example', async (t, browser) => {
  const { credentials, openTab } = await openExample(t, browser)
  const tab = await openTab()
  const look = async () => assert.deepEqual(await violationsOf(tab.page), [])
  await tab.page.getByRole('button', { name: 'Sign in' }).waitFor()
  await look()
  await enter(tab, 'Sign in', credentials)
  await tab.page.getByRole('alert').waitFor()
  await look()
  await enter(tab, 'Sign up', credentials)
  await showsInvoices(tab)
  await look()
})
