import assert from 'node:assert/strict'
import type { TokenPair } from '../../src/schemas/token-pair.ts'
import { newEmail, PASSWORD } from './credentials.ts'
import { retryUnavailable } from './retry-unavailable.ts'

/** To a server that runs as a process of its own. */
export function post(url: string, path: string, body: object, headers = {}): Promise<Response> {
  return retryUnavailable(() =>
    fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    }),
  )
}

export function me(url: string, accessToken: string): Promise<Response> {
  return retryUnavailable(() =>
    fetch(`${url}/auth/me`, { headers: { authorization: `Bearer ${accessToken}` } }),
  )
}

export async function pairOf(answer: Response): Promise<TokenPair> {
  const text = await answer.text()
  assert.ok(answer.ok, `answered ${answer.status}: ${text}`)
  return JSON.parse(text)
}

/** A new account with its first session. */
export async function signUpAt(
  url: string,
  credentials = { email: newEmail(), password: PASSWORD },
  headers = {},
): Promise<TokenPair> {
  const answer = await post(url, '/auth/signup', credentials, headers)
  // Told 503 it may have been made.
  return pairOf(
    answer.status === 409 ? await post(url, '/auth/login', credentials, headers) : answer,
  )
}
