import assert from 'node:assert/strict'
import { violationsOf } from '../../support/browser/accessibility.ts'
import { newEmail } from '../../support/credentials.ts'
import {
  enter,
  exampleTest,
  openExample,
  press,
  shows,
  showsInvoices,
  type Tab,
} from '../../support/examples/spa.ts'

const NEXT = 'a ratchet of another wheel'

/**
 * An expression for the places that last longer than the page or are sent elsewhere. The browser's
 * own record of the navigation keeps the fragment as long as the page is open.
 */
const VISIBLE_STATE = `JSON.stringify([
  location.href, history.state, { ...localStorage }, { ...sessionStorage }, document.cookie,
  document.documentElement.outerHTML,
])`

const fill = ({ page }: Tab, label: string, text: string) =>
  page.getByLabel(label, { exact: true }).fill(text)
const look = async ({ page }: Tab) => assert.deepEqual(await violationsOf(page), [])

exampleTest(
  'a forgotten password is replaced, and every other device is signed out',
  async (t, browser) => {
    const { credentials, server, openTab, openMail, openDevice, send } = await openExample(
      t,
      browser,
    )
    const tab = await openTab()
    await enter(tab, 'Sign up', credentials)
    await showsInvoices(tab)
    const mail = await openTab()
    await openMail(mail, 'verify-address')
    await press(mail, 'Confirm')
    await shows(mail, 'Your e-mail address is verified.')
    const old = tab.accessToken()

    const device = await openDevice()
    await press(device, 'Forgot the password?')
    await look(device)
    await fill(device, 'E-mail', credentials.email)
    await press(device, 'Send a link')
    await shows(device, 'If there is such an account, a mail with a link is on its way.')
    // As in a new tab: the page loads with the link.
    await device.page.goto('about:blank')
    const token = await openMail(device, 'reset-password')
    await device.page.getByRole('heading', { name: 'New password' }).waitFor()
    assert.ok(!(await device.page.evaluate<string>(VISIBLE_STATE)).includes(token))
    await look(device)

    await fill(device, 'New password', 'short')
    await press(device, 'Set the password')
    const problem = device.page.locator('#newPassword-problem').filter({ hasText: /\w/ })
    await problem.waitFor()
    assert.equal(await device.page.evaluate('document.activeElement.name'), 'newPassword')
    await look(device)
    await fill(device, 'New password', NEXT)
    await press(device, 'Set the password')
    await shows(device, 'The new password is set. Please sign in with it.')

    assert.equal((await send(old, 'GET', '/api/invoices')).status, 401)
    await press(tab, 'Reload')
    await shows(tab, 'Your session has ended. Please sign in again.')
    await server.printed(`Mail to ${credentials.email}: Your password was reset`)
    await enter(device, 'Sign in', { ...credentials, password: NEXT })
    await showsInvoices(device)
    await openMail(device, 'reset-password')
    await fill(device, 'New password', `${NEXT} again`)
    await press(device, 'Set the password')
    await shows(device, 'The link or code is not valid any more')
    await press(device, 'Cancel')
    await showsInvoices(device)
  },
)

exampleTest('an address is changed, and an account is deleted', async (t, browser) => {
  const { credentials, openTab, openMail } = await openExample(t, browser)
  const [tab, other] = [await openTab(), await openTab()]
  await enter(tab, 'Sign up', credentials)
  for (const one of [tab, other]) await showsInvoices(one)
  // In the background, a click takes seconds.
  await tab.page.bringToFront()
  await press(tab, 'Account')
  await shows(tab, credentials.email)
  await look(tab)

  const email = newEmail()
  await press(tab, 'Change e-mail')
  await look(tab)
  await fill(tab, 'New e-mail', email)
  await fill(tab, 'Current password', 'something else entirely')
  await press(tab, 'Send a link')
  const problem = tab.page.locator('#currentPassword-problem')
  await problem.filter({ hasText: 'The current password is wrong' }).waitFor()
  await fill(tab, 'Current password', credentials.password)
  await press(tab, 'Send a link')
  await shows(tab, 'Please open the link in the mail to your new address.')
  await openMail(tab, 'change-address')
  await press(tab, 'Confirm')
  await shows(tab, 'Your e-mail address is verified.')
  await press(tab, 'Account')
  await shows(tab, email)

  await press(tab, 'Change password')
  await look(tab)
  await fill(tab, 'Current password', credentials.password)
  await fill(tab, 'New password', NEXT)
  await press(tab, 'Save')
  await shows(tab, 'Your password is changed. Other devices are signed out.')

  await press(tab, 'Delete account')
  await look(tab)
  await fill(tab, 'Current password', NEXT)
  // The browser refuses the form until the user has confirmed.
  await press(tab, 'Delete')
  assert.equal(await tab.page.evaluate('document.activeElement.type'), 'checkbox')
  await tab.page.getByRole('checkbox').check()
  await press(tab, 'Delete')
  await shows(tab, 'Your account is deleted.')
  await shows(other, 'Your session has ended. Please sign in again.')
  await enter(tab, 'Sign in', { email, password: NEXT })
  await shows(tab, 'E-mail or password is wrong')
})
