import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { newEmail, newRetryKey } from '../credentials.ts'
import { type HeaderLines, request } from '../raw-http.ts'
import type { RecordingClient } from './recording-client.ts'
import { addSecret, addToken, type Secrets } from './secrets.ts'

/** Uses the refresh cookie from the own page and from foreign ones, beside cookies of others. */
export async function useCookies(
  { post, bear, send }: RecordingClient,
  password: string,
  secrets: Secrets,
): Promise<void> {
  const page = { Origin: 'https://auth.example.com', 'X-Token-Delivery': 'cookie' }
  const stranger = { Origin: 'https://evil.example.net', 'Sec-Fetch-Site': 'cross-site' }
  const session = randomBytes(24).toString('hex')
  const other = `session=${addSecret(secrets, 'the cookie of an application', session)}`
  const byCookie = (path: string, cookie: string, headers: HeaderLines = page) =>
    send(request('POST', path, { ...headers, Cookie: `${other}; ${cookie}` }))

  const credentials = { email: newEmail(), password }
  const { cookie: signup } = await post('/auth/signup', credentials, page)
  assert.match(signup, /^__Host-pawl-refresh=eyJ/)
  assert.equal((await byCookie('/auth/logout', signup)).status, 204)
  const { pair, cookie: first } = await post('/auth/login', credentials, page)
  assert.equal(pair.refreshToken, undefined)
  const key = {
    ...page,
    'Idempotency-Key': addSecret(secrets, 'an Idempotency-Key', newRetryKey()),
  }
  const { status, cookie: second } = await byCookie('/auth/refresh', first, key)
  assert.equal(status, 200)
  assert.equal((await byCookie('/auth/refresh', first, key)).cookie, second)
  const { cookie: third, pair: newest } = await byCookie('/auth/refresh', second)
  assert.notEqual(third, second)

  for (const path of ['/auth/refresh', '/auth/logout']) {
    assert.equal((await byCookie(path, third, stranger)).status, 403)
    assert.equal((await byCookie(path, third, {})).status, 403)
    for (const broken of [
      `${third}x`,
      `${third.slice(0, -9)}`,
      `"${third}"`,
      third.toLowerCase(),
    ]) {
      addToken(secrets, broken.slice(broken.indexOf('=') + 1))
      await byCookie(path, broken)
    }
    await send(
      request('POST', path, { ...page, Cookie: `${third}; ${first}`, 'Content-Type': first }, '{'),
    )
    await send(request('POST', path, { ...page, Cookie: third.repeat(100) }))
    await send(request('POST', path, { ...page, Cookie: `${third}\0` }))
  }
  await send(
    request('GET', '/auth/nowhere', {
      Cookie: third,
      Authorization: `Bearer ${newest.accessToken}`,
    }),
  )
  await send(request('GET', `/auth/refresh?cookie=${third}`, { Cookie: third }))

  // A spent token is presented after the grace period: theft.
  const { cookie: stolen } = await post('/auth/login', credentials, page)
  const { cookie: next } = await byCookie('/auth/refresh', stolen)
  await byCookie('/auth/refresh', next)
  assert.equal((await byCookie('/auth/refresh', stolen)).status, 401)
  const { cookie: last, pair: lastPair } = await post('/auth/login', credentials, page)
  assert.equal((await bear(lastPair.accessToken)).status, 200)
  assert.equal((await byCookie('/auth/logout', last)).status, 204)
}
