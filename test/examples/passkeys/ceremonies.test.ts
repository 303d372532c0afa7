import assert from 'node:assert/strict'
import {
  addDevice,
  openVaultPage,
  passkeysTest,
  press,
  says,
  signUp,
} from '../../support/examples/passkeys.ts'

const LOGIN = 'Sign in with a passkey'
const REFUSED = 'The passkey was not accepted.'

passkeysTest('a challenge is used once, by the browser that asked for it', async (t, browser) => {
  const { page, send, intercept } = await openVaultPage(t, browser)
  await signUp(page)
  await press(page, 'Sign out')
  await says(page, 'You are signed out.')
  const { body, cookie } = await intercept('/passkeys/login', () => press(page, LOGIN))
  const resultWith = async (headers: object) => {
    const response = await send('/passkeys/login', body, headers)
    const { detail } = (await response.json()) as { detail?: string }
    return `${response.status} ${detail}`
  }
  // The passkey itself would be accepted: the counter is not what refuses it.
  const refused = '401 There is no challenge for this any more. Please try again.'
  assert.equal(await resultWith({}), refused)
  assert.equal(await resultWith({ cookie: cookie.replace(/=.*/, '=another') }), refused)
  assert.equal(await resultWith({ cookie }), '200 undefined')
  assert.equal(await resultWith({ cookie }), refused)
})

passkeysTest('a passkey without user verification is refused', async (t, browser) => {
  const { page, cdp, device, complaints } = await openVaultPage(t, browser)
  await signUp(page)
  await press(page, 'Sign out')
  await says(page, 'You are signed out.')
  await cdp.send('WebAuthn.setUserVerified', { authenticatorId: device, isUserVerified: false })
  await page.route('**/passkeys/login/options', async (route) => {
    const response = await route.fetch()
    const json = { ...(await response.json()), userVerification: 'discouraged' }
    await route.fulfill({ response, json })
  })
  await press(page, LOGIN)
  await says(page, REFUSED)
  assert.deepEqual(complaints, [])
})

passkeysTest('a copied passkey is found by its counter', async (t, browser) => {
  const { page, cdp, device: authenticatorId } = await openVaultPage(t, browser)
  await signUp(page)
  await press(page, 'Sign out')
  await says(page, 'You are signed out.')
  const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId })
  const [copy] = credentials
  assert.ok(copy)
  await press(page, LOGIN)
  await says(page, 'You are signed in.')
  await press(page, 'Sign out')
  await says(page, 'You are signed out.')
  const { credentialId } = copy
  await cdp.send('WebAuthn.removeCredential', { authenticatorId, credentialId })
  await cdp.send('WebAuthn.addCredential', { authenticatorId, credential: copy })
  await press(page, LOGIN)
  await says(page, REFUSED)
})

passkeysTest('a second passkey leads to the same account', async (t, browser) => {
  const { page, cdp, device, claims } = await openVaultPage(t, browser)
  await signUp(page)
  const { sub } = claims()
  await press(page, 'Add a passkey')
  await page
    .locator('#message')
    .getByText(/already|previously/)
    .waitFor()
  await cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: device })
  await addDevice(cdp, true)
  await press(page, 'Add a passkey')
  await says(page, 'The passkey was added.')
  await page.getByText('Ada, with 2 passkeys').waitFor()
  await press(page, 'Sign out')
  await says(page, 'You are signed out.')
  await press(page, LOGIN)
  await says(page, 'You are signed in.')
  assert.deepEqual([claims().sub, claims().amr], [sub, ['swk', 'user', 'mfa']])
})

passkeysTest('a new passkey or codes demand a recent login', async (t, browser) => {
  const { page, claims, send, startSession, continueWith } = await openVaultPage(t, browser)
  await signUp(page)
  const { sub } = claims()
  const old = await startSession(sub, 3600)
  for (const path of ['/passkeys/addition/options', '/passkeys/addition', '/codes']) {
    const authorization = `Bearer ${old.accessToken}`
    const body = { response: { id: 'any', response: {} } }
    const { status, headers } = await send(path, body, { authorization })
    assert.equal(status, 401)
    assert.equal(
      headers.get('www-authenticate'),
      'Bearer error="insufficient_user_authentication", max_age="300"',
    )
  }

  await continueWith(old)
  await page.getByText('Ada, with 1 passkey').waitFor()
  assert.equal(claims().sid, old.sessionId)
  // The page logs in again and goes on.
  await press(page, 'Set up codes')
  await page.locator('#hint').getByText('otpauth:').waitFor()
  assert.notEqual(claims().sid, old.sessionId)
})

passkeysTest('a passkey is not added to the account of the next user', async (t, browser) => {
  const app = await openVaultPage(t, browser)
  const { page, cdp, device, claims } = app
  await signUp(page)
  const { sub } = claims()
  await cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: device })
  await addDevice(cdp)
  const add = () => app.intercept('/passkeys/addition', () => press(page, 'Add a passkey'))
  const statusAs = async (id: string) => {
    const { body, cookie } = await add()
    const { accessToken } = await app.startSession(id)
    const headers = { cookie, authorization: `Bearer ${accessToken}` }
    return (await app.send('/passkeys/addition', body, headers)).status
  }
  assert.equal(await statusAs('somebody-else'), 401)
  assert.equal(await statusAs(sub), 204)
})
