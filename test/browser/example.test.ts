import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { cleanUp, newEmail, PASSWORD, until } from '../helper.ts'
import { ROOT } from '../services/sources.ts'
import { browserTest } from './browser.ts'
import {
  EVERYTHING,
  enter,
  installExample,
  openExample,
  press,
  shows,
  showsInvoices,
  startExample,
} from './example.ts'

const missing = installExample()
if (missing && process.env.CI) throw new Error(missing)

test('the example fits the types of the packed package', { skip: missing }, () => {
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc')
  const { status, stdout } = spawnSync(process.execPath, [compiler, '-p', join(ROOT, 'examples/spa')], {
    encoding: 'utf8',
  })
  assert.equal(status, 0, stdout)
})

test('the example runs with nothing set up', { skip: missing }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'pawl-example-'))
  cleanUp(t, () => rm(folder, { recursive: true, force: true }))
  const { url, printed } = await startExample(t, { PORT: '0', PAWL_DATA_DIR: folder })
  await printed(`The app is at ${url}`)
  const body = JSON.stringify({ email: newEmail(), password: PASSWORD })
  const headers = { 'content-type': 'application/json' }
  const signup = await fetch(`${url}/auth/signup`, { method: 'POST', headers, body })
  const { accessToken } = (await signup.json()) as { accessToken: string }
  const list = (token: string) =>
    fetch(`${url}/api/invoices`, { headers: { authorization: `Bearer ${token}` } })
  assert.equal((await list(accessToken)).status, 200)
  assert.equal((await list('')).status, 401)
})

const exampleTest: typeof browserTest = (name, body) => browserTest(name, body, missing)

exampleTest('whoever signs up sees the list, and writes it only with the permission', async (t, browser) => {
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
})

exampleTest('an access token that has expired is replaced without a word', async (t, browser) => {
  const { credentials, openTab, send } = await openExample(t, browser, { ACCESS_TOKEN_TTL: '1s' })
  const tab = await openTab()
  await enter(tab, 'Sign up', credentials)
  await showsInvoices(tab)
  const first = tab.accessToken()
  await until(async () => (await send(first, 'GET', '/api/invoices')).status === 401)

  const before = tab.calls.length
  await press(tab, 'Reload')
  const since = () => tab.calls.slice(before).map(({ call, status }) => `${call} ${status}`)
  await until(() => since().includes('GET /api/invoices 200'))
  // By its own clock the page may take the token for good a moment longer than the server does.
  const answered = since().filter((one) => one !== 'GET /api/invoices 401')
  assert.deepEqual(answered, ['POST /auth/refresh 200', 'GET /api/invoices 200'])
  assert.notEqual(tab.accessToken(), first)
  await showsInvoices(tab)
  assert.equal(await tab.page.getByRole('alert').textContent(), '')

  await tab.page.reload()
  await showsInvoices(tab)
})

exampleTest('what happens in one tab is seen in the other: signing in, and out', async (t, browser) => {
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

exampleTest('a session that an administrator ends is over in every tab', async (t, browser) => {
  const { credentials, openTab, send, administer } = await openExample(t, browser)
  const tabs = [await openTab(), await openTab()]
  const [one, other] = tabs as [(typeof tabs)[0], (typeof tabs)[0]]
  await enter(one, 'Sign up', credentials)
  for (const tab of tabs) await showsInvoices(tab)
  const tokens = tabs.map((tab) => tab.accessToken())

  const admin = await administer()
  assert.equal((await admin('DELETE', '/sessions')).status, 204)
  for (const token of tokens) assert.equal((await send(token, 'GET', '/api/invoices')).status, 401)

  await press(one, 'Reload')
  for (const tab of tabs) await shows(tab, 'Your session has ended. Please sign in again.')
  await enter(other, 'Sign in', credentials)
  for (const tab of tabs) await showsInvoices(tab)
})

exampleTest(
  'no token is where a script or a neighbour finds it, the console included',
  async (t, browser) => {
    const { credentials, context, openTab, send, administer } = await openExample(t, browser, {
      ACCESS_TOKEN_TTL: '1s',
    })
    const printed: string[] = []
    context.on('console', (message) => printed.push(message.text()))
    context.on('weberror', (error) => printed.push(`${error.error().stack}`))
    const [one, other] = [await openTab(), await openTab()]
    const look = async (where: string) => {
      for (const { page } of [one, other]) {
        const found = await page.evaluate<string>(EVERYTHING)
        assert.match(found, /Invoices/)
        assert.doesNotMatch(found, /eyJ/, where)
      }
    }

    await look('before anything')
    await enter(one, 'Sign in', credentials)
    await shows(one, 'E-mail or password is wrong')
    await enter(one, 'Sign up', credentials)
    for (const tab of [one, other]) await showsInvoices(tab)
    await look('signed in')
    await press(one, 'Pay')
    await shows(one, 'Not allowed for this user')
    const token = one.accessToken()
    assert.match(token, /^eyJ/)
    await until(async () => (await send(token, 'GET', '/api/invoices')).status === 401)
    await press(other, 'Reload')
    await until(() => other.accessToken() !== token)
    await one.page.reload()
    await showsInvoices(one)
    await look('after a refresh, and in a page that was loaded anew')
    await (await administer())('DELETE', '/sessions')
    await press(one, 'Reload')
    for (const tab of [one, other]) await shows(tab, 'Your session has ended. Please sign in again.')
    await look('at the end')

    // What Chromium itself says of each refusal.
    assert.ok(printed.some((text) => text.includes('401')))
    assert.doesNotMatch(printed.join('\n'), /eyJ/)
  },
)
