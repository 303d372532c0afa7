import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createAccount, takeMailLink } from '../../src/client/account/index.ts'
import { signUp } from '../support/app-requests.ts'
import { losing } from '../support/client/browser.ts'
import { createMemoryStorage, EXPIRY, MINUTE, startWorld } from '../support/client/client-world.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { environment } from '../support/environment.ts'
import { openMailbox } from '../support/recovery/mailbox.ts'
import { until } from '../support/until.ts'

const NEXT = 'a ratchet of another wheel'

/** Starts a world with its outbox. The first tab and its account functions are open. */
async function startAccounts(t: TestContext) {
  const env = await environment(t, { ISSUER: 'http://127.0.0.1:3000' })
  const world = await startWorld(t, env)
  function open(options: Parameters<typeof world.open>[0] = {}) {
    const tab = world.open(options)
    const { platform } = tab.tab
    return {
      ...tab,
      account: createAccount(tab.client, { baseUrl: world.url, ...options, platform }),
    }
  }
  const profile = async (tab: ReturnType<typeof open>) =>
    (await (await tab.fetch(`${world.url}/auth/me`)).json()) as {
      email: string
      emailVerified: boolean
    }
  return { ...world, open, profile, mailbox: await openMailbox(t, env, world.clock) }
}

test('a reset signs every tab of the user out, and the new password signs in', async (t) => {
  const { open, credentials, mailbox } = await startAccounts(t)
  const [tab, other] = [open(), open()]
  await tab.login(credentials)
  await until(() => other.changes.length === 1)
  await other.account.forgotPassword(credentials.email)
  const token = await mailbox.tokenOf('reset-password')

  await assert.rejects(tab.account.resetPassword({ token, newPassword: 'short' }), (error) => {
    const { name, status, fields } = error as { name: string; status: number; fields: object }
    assert.deepEqual([name, status, Object.keys(fields)], ['PawlClientError', 400, ['newPassword']])
    return true
  })
  assert.match((await tab.token()) ?? '', /^eyJ/)
  await tab.account.resetPassword({ token, newPassword: NEXT })
  for (const { changes } of [tab, other]) {
    await until(() => changes.length === 2)
    assert.equal(changes[1]?.reason, 'ended')
  }
  await assert.rejects(tab.login(credentials), { status: 401 })
  await tab.login({ ...credentials, password: NEXT })
  const used = { token, newPassword: `${NEXT} again` }
  await assert.rejects(tab.account.resetPassword(used), { code: 'AUTH_CODE_INVALID' })
})

test('a reset for somebody else leaves the user signed in', async (t) => {
  const { app, open, credentials, mailbox } = await startAccounts(t)
  const second = await signUp(app, newEmail())
  const tab = open()
  const { sessionId } = await tab.login(credentials)
  await tab.account.forgotPassword(second.email)
  const token = await mailbox.tokenOf('reset-password')
  await tab.account.resetPassword({ token, newPassword: NEXT })
  assert.equal(tab.client.sessionId, sessionId)
  assert.equal(tab.changes.length, 1)
})

test('a reset that has succeeded does not fail because Pawl is unreachable after it', async (t) => {
  const { open, credentials, mailbox, browser, url } = await startAccounts(t)
  const tab = open()
  await tab.login(credentials)
  await tab.account.forgotPassword(credentials.email)
  const token = await mailbox.tokenOf('reset-password')
  browser.wire = losing(5)
  await tab.account.resetPassword({ token, newPassword: NEXT })
  assert.equal(tab.changes.length, 1)
  assert.equal((await tab.fetch(`${url}/auth/me`)).status, 401)
  assert.equal(tab.changes[1]?.reason, 'ended')
})

test('a forgotten password needs no session, and a dead one does not prevent it', async (t) => {
  const { open, app, credentials, mailbox, pass } = await startAccounts(t)
  const tab = open()
  await tab.account.forgotPassword(newEmail())
  await tab.login(credentials)
  const authorization = `Bearer ${await tab.token()}`
  await app.inject({ method: 'POST', url: '/auth/logout', headers: { authorization } })
  pass(EXPIRY)
  await tab.account.forgotPassword(credentials.email)
  assert.match(await mailbox.tokenOf('reset-password'), /./)
})

test('an address is verified, and changed with the password or after a recent login', async (t) => {
  const { open, credentials, mailbox, pass, profile } = await startAccounts(t)
  const tab = open()
  await tab.login(credentials)
  await tab.account.sendVerification()
  await tab.account.verifyEmail(await mailbox.tokenOf('verify-address'))
  assert.equal((await profile(tab)).emailVerified, true)

  const [second, third] = [newEmail(), newEmail()]
  await tab.account.changeEmail({ email: second })
  await tab.account.verifyEmail(await mailbox.tokenOf('change-address'))
  assert.equal((await profile(tab)).email, second)

  pass(6 * MINUTE)
  const { changeEmail } = tab.account
  await assert.rejects(changeEmail({ email: third }), { code: 'AUTH_REAUTHENTICATION_REQUIRED' })
  const wrong = changeEmail({ email: third, currentPassword: 'something else entirely' })
  await assert.rejects(wrong, { code: 'AUTH_WRONG_PASSWORD', status: 403 })
  const currentPassword = credentials.password
  await assert.rejects(changeEmail({ email: 'nowhere', currentPassword }), (error) => {
    assert.deepEqual(Object.keys((error as { fields: object }).fields), ['email'])
    return true
  })
  await changeEmail({ email: third, currentPassword })
  await tab.account.verifyEmail(await mailbox.tokenOf('change-address'))
  assert.equal((await profile(tab)).email, third)
  assert.equal(tab.changes.length, 1)
})

for (const kept of ['cookie', 'storage'] as const)
  test(`a deletion signs out every tab whose refresh token is in a ${kept}`, async (t) => {
    const { open, credentials, browser, pass } = await startAccounts(t)
    const options = kept === 'storage' ? { storage: createMemoryStorage() } : {}
    const [tab, other] = [open(options), open(options)]
    await tab.login(credentials)
    pass(6 * MINUTE)
    await other.token()
    const { deleteAccount } = tab.account
    await assert.rejects(deleteAccount(), { code: 'AUTH_REAUTHENTICATION_REQUIRED' })
    const wrong = deleteAccount('something else entirely')
    await assert.rejects(wrong, { code: 'AUTH_WRONG_PASSWORD' })
    assert.match((await other.token()) ?? '', /^eyJ/)
    await deleteAccount(credentials.password)
    for (const { client, changes } of [tab, other]) {
      await until(() => changes.at(-1)?.signedIn === false)
      assert.equal(client.sessionId, undefined)
    }
    assert.ok(![...browser.jar.keys()].some((name) => name.includes('refresh')))
    await assert.rejects(tab.login(credentials), { status: 401 })
  })

test('the account of the next user is not deleted or changed', async (t) => {
  const { app, open, credentials, profile, browser } = await startAccounts(t)
  const second = { email: newEmail(), password: PASSWORD }
  await signUp(app, second.email)
  const [tab, other] = [open(), open()]
  await tab.login(credentials)
  tab.tab.onStorage = () => {}
  if (tab.tab.channel) tab.tab.channel.onmessage = null
  await other.login(second)
  browser.requests.length = 0
  await assert.rejects(tab.account.deleteAccount(), { code: 'SIGNED_OUT' })
  assert.ok(!browser.requests.includes('DELETE /auth/me'))

  await tab.login(credentials)
  await other.login(second)
  await assert.rejects(tab.account.deleteAccount(PASSWORD), { code: 'SIGNED_OUT' })
  assert.equal((await profile(other)).email, second.email)
})

test('without a connection, the error says so', async (t) => {
  const { open, browser } = await startAccounts(t)
  const tab = open()
  browser.wire = async () => {
    throw new TypeError('the connection was lost')
  }
  await assert.rejects(tab.account.forgotPassword(newEmail()), { offline: true, status: 0 })
  browser.wire = async () => new Response('<p>Sign in to our network', { status: 200 })
  await assert.rejects(tab.account.verifyEmail('token'), { offline: true, status: 200 })
})

test('the link of a mail is removed from the address, and nothing else is', () => {
  const open = (hash: string) => {
    const page = {
      location: { hash, pathname: '/account', search: '?tab=1' },
      history: { state: { page: 1 }, replaceState: (...to: unknown[]) => void replaced.push(to) },
    }
    const replaced: unknown[] = []
    return { link: takeMailLink(page), replaced }
  }
  const { link, replaced } = open('#token=a.b-c_d&purpose=reset-password')
  assert.deepEqual(link, { purpose: 'reset-password', token: 'a.b-c_d' })
  assert.deepEqual(replaced, [[{ page: 1 }, '', '/account?tab=1']])
  for (const hash of ['', '#top', '#token=x', '#purpose=reset-password', '#token=x&purpose=other'])
    assert.deepEqual(open(hash), { link: undefined, replaced: [] })
})
