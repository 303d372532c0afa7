import assert from 'node:assert/strict'
import { newEmail, newRetryKey } from '../credentials.ts'
import type { RecordingClient } from './recording-client.ts'
import { addSecret, newPassword, type Secrets } from './secrets.ts'

export interface Credentials {
  email: string
  password: string
}

/** Signs up, logs in and out, refreshes, loses a token to a thief, and changes the password. */
export async function useAccount(
  { post, bear }: RecordingClient,
  credentials: Credentials,
  secrets: Secrets,
): Promise<void> {
  assert.equal((await post('/auth/signup', credentials)).status, 201)
  assert.equal((await post('/auth/signup', credentials)).status, 201)
  const wrong = { ...credentials, password: newPassword(secrets) }
  assert.equal((await post('/auth/login', wrong)).status, 401)
  assert.equal((await post('/auth/login', { ...wrong, email: newEmail() })).status, 401)

  const { pair: first } = await post('/auth/login', credentials)
  assert.equal((await bear(first.accessToken)).status, 200)
  const key = { 'Idempotency-Key': addSecret(secrets, 'an Idempotency-Key', newRetryKey()) }
  const { pair: second } = await post('/auth/refresh', { refreshToken: first.refreshToken }, key)
  // The retry with its key is replayed. The grace period is 0, so the one without a key is theft.
  assert.equal((await post('/auth/refresh', { refreshToken: first.refreshToken }, key)).status, 200)
  const { pair: third } = await post('/auth/refresh', { refreshToken: second.refreshToken })
  assert.equal((await post('/auth/refresh', { refreshToken: first.refreshToken })).status, 401)
  assert.equal((await post('/auth/refresh', { refreshToken: third.refreshToken })).status, 401)
  assert.equal((await bear(third.accessToken)).status, 401)

  for (const how of ['body', 'access', 'refresh'] as const) {
    const { pair } = await post('/auth/login', credentials)
    if (how === 'body')
      assert.equal((await post('/auth/logout', { refreshToken: pair.refreshToken })).status, 204)
    else assert.equal((await bear(pair[`${how}Token`], 'POST', '/auth/logout')).status, 204)
  }
  const { pair } = await post('/auth/login', credentials)
  const { password } = credentials
  const next = newPassword(secrets)
  const change = (accessToken: string | undefined, currentPassword: string, newPassword: string) =>
    post(
      '/auth/password',
      { currentPassword, newPassword },
      { Authorization: `Bearer ${accessToken}` },
    )
  assert.equal((await change(pair.accessToken, next, wrong.password)).status, 403)
  const changed = await change(pair.accessToken, password, next)
  assert.equal(changed.status, 200)
  const restored = await change(changed.pair.accessToken, next, password)
  assert.equal(restored.status, 200)
  assert.equal((await bear(restored.pair.accessToken, 'GET', '/auth/sessions')).status, 200)

  // One session more than a user may have.
  for (let count = 0; count < 3; count++)
    assert.equal((await post('/auth/login', credentials)).status, 200)
}
