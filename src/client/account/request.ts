import { PawlClientError, type Problem } from '../error.ts'
import { type Platform, timeoutSignal } from '../platform.ts'
import type { AccountOptions } from './types.ts'

/**
 * Milliseconds after which a request is aborted. A wait for an access token, which may include
 * retries, is part of it.
 */
const REQUEST_TIMEOUT = 30_000

/**
 * Returns a function that sends a request to an auth route of Pawl whose response has no content.
 * It rejects with `PawlClientError` after any other response, also after one that a proxy or
 * another service has sent.
 */
export function createRequest(
  platform: Platform,
  { baseUrl, storage }: Pick<AccountOptions, 'baseUrl' | 'storage'>,
) {
  const base = new URL(baseUrl, platform.location?.href ?? 'http://invalid').href
  const root = base.replace(/\/+$/, '')

  return async (
    fetch: typeof globalThis.fetch,
    method: string,
    path: string,
    body?: object,
  ): Promise<void> => {
    const response = await fetch(`${root}/auth/${path}`, {
      method,
      ...(body && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
      // The cookies say which device this is, and a response may remove the one of the session.
      credentials: storage ? 'omit' : 'include',
      redirect: 'error',
      signal: timeoutSignal(platform, REQUEST_TIMEOUT),
    }).catch((cause) => {
      throw cause instanceof PawlClientError ? cause : new PawlClientError(0, {}, 0, cause)
    })
    const { status, headers } = response
    if (status === 202 || status === 204) return
    const content: Problem = (await response.json().catch(() => {})) ?? {}
    // Nobody else's text is shown to the user, and nobody else's code is believed.
    const problem = /^urn:pawl:/.test(content.type as string) ? content : {}
    throw new PawlClientError(status, problem, Number(headers.get('retry-after')) || 0)
  }
}
