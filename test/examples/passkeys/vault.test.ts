import assert from 'node:assert/strict'
import { violationsOf } from '../../support/browser/accessibility.ts'
import {
  enterCode,
  openVaultPage,
  passkeys,
  passkeysTest,
  press,
  says,
  setUpCodes,
  signUp,
} from '../../support/examples/passkeys.ts'
import { codeOf, wrongCodeOf } from '../../support/examples/totp.ts'
import { post } from '../../support/server-requests.ts'
import { temporaryFolder } from '../../support/temporary-files.ts'

passkeys.testTypes()

passkeys.test('the passkey example runs without any configuration', async (t) => {
  const folder = await temporaryFolder(t)
  const { url, printed } = await passkeys.start(t, { PORT: '0', PAWL_DATA_DIR: folder })
  await printed('The app is at http://localhost:')
  const response = await post(url, '/passkeys/login/options', {})
  const { rpId, userVerification } = (await response.json()) as Record<string, unknown>
  assert.deepEqual([rpId, userVerification], ['localhost', 'required'])
})

passkeysTest('a user signs up, signs out and signs in by passkey', async (t, browser) => {
  const { page, claims, complaints } = await openVaultPage(t, browser)
  await signUp(page)
  assert.deepEqual(claims().amr, ['hwk', 'user', 'mfa'])
  const { sub } = claims()
  assert.deepEqual(await violationsOf(page), [])

  await press(page, 'Sign out')
  await says(page, 'You are signed out.')
  assert.deepEqual(await violationsOf(page), [])
  await press(page, 'Sign in with a passkey')
  await says(page, 'You are signed in.')
  assert.equal(claims().sub, sub)
  await page.reload()
  await page.getByText('Ada, with 1 passkey').waitFor()
  assert.deepEqual(complaints, [])
})

passkeysTest('the amr of a synced passkey says that its key is in software', async (t, browser) => {
  const { page, claims } = await openVaultPage(t, browser, true)
  await signUp(page)
  assert.deepEqual(claims().amr, ['swk', 'user', 'mfa'])
})

passkeysTest('a route that demands a code opens after a login with one', async (t, browser) => {
  const { page, claims } = await openVaultPage(t, browser)
  await signUp(page)
  const uri = await setUpCodes(page, codeOf)

  const refused = page.waitForResponse((response) => response.url().endsWith('/vault'))
  await press(page, 'Open the vault')
  assert.equal((await refused).status(), 401)
  // RFC 9470 3.
  assert.equal(
    await (await refused).headerValue('www-authenticate'),
    'Bearer error="insufficient_user_authentication"',
  )
  const code = codeOf(uri, 1)
  await enterCode(page, code)
  await says(page, 'The vault contains the crown jewels.')
  assert.deepEqual(claims().amr, ['hwk', 'user', 'otp', 'mfa'])

  await press(page, 'Sign out')
  await says(page, 'You are signed out.')
  await press(page, 'Sign in with a passkey')
  await says(page, 'You are signed in.')
  await press(page, 'Open the vault')
  // Whoever watched the user type it has half a minute otherwise.
  await enterCode(page, code)
  await says(page, 'The code is wrong, or was used before.')
})

passkeysTest('after five wrong codes, the right one is refused as well', async (t, browser) => {
  const { page } = await openVaultPage(t, browser)
  await signUp(page)
  const uri = await setUpCodes(page, codeOf)
  await press(page, 'Open the vault')
  for (let count = 0; count < 5; count++) {
    await enterCode(page, wrongCodeOf(uri))
    await says(page, 'The code is wrong, or was used before.')
  }
  const limited = page.waitForResponse((response) => response.url().endsWith('/passkeys/login'))
  await enterCode(page, codeOf(uri, 1))
  await says(page, 'Too many wrong codes. Please try again later.')
  assert.equal((await limited).status(), 429)
  assert.ok(Number(await (await limited).headerValue('retry-after')) > 60)
})
