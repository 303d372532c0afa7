import assert from 'node:assert/strict'
import type { TokenPair } from '../../src/schemas/token-pair.ts'
import { newEmail, PASSWORD } from './credentials.ts'
import { retryUnavailable } from './retry-unavailable.ts'

/** Sends JSON to a server by its URL, and repeats the request while the response is a 503. */
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

/** Returns the token pair of a response. Throws if the request failed. */
export async function pairOf(response: Response): Promise<TokenPair> {
  const text = await response.text()
  assert.ok(response.ok, `the response is ${response.status}: ${text}`)
  return JSON.parse(text)
}

/** Creates an account with its first session. */
export async function signUpAt(
  url: string,
  credentials = { email: newEmail(), password: PASSWORD },
  headers = {},
): Promise<TokenPair> {
  const response = await post(url, '/auth/signup', credentials, headers)
  // A sign-up that was answered with 503 may have created the account all the same.
  return pairOf(
    response.status === 409 ? await post(url, '/auth/login', credentials, headers) : response,
  )
}
