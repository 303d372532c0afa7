import type { AccessToken } from './access-token.ts'
import { PawlClientError, type Problem } from './error.ts'
import { type Platform, sleep, timeoutSignal } from './platform.ts'

/** The tokens of a response. */
export interface Tokens {
  access: AccessToken
  /** Absent if the server sets it as a cookie. */
  refreshToken: string | undefined
}

/** The content of a response to which anybody may have responded. */
type Content = Problem & {
  accessToken?: string
  refreshToken?: string
  /** The access token's lifetime in seconds. */
  expiresIn?: number
  sessionId?: string
}

/** Milliseconds after which a request is aborted. */
const REQUEST_TIMEOUT = 10_000
/** Seconds. If the server asks for a longer wait, the caller gets the error instead. */
const MAX_RETRY_AFTER = 60
const MAX_RETRIES = 4

/**
 * Returns a function that posts to an auth route of Pawl. It resolves with tokens, or with
 * undefined after a logout. It rejects with `PawlClientError` after any other response, also after
 * one that a proxy or another service has sent.
 */
export function createPost(platform: Platform, base: string, byCookie: boolean) {
  return async (
    path: string,
    body?: object | '' | undefined,
    retryKey?: string,
    token?: string,
  ): Promise<Tokens | undefined> => {
    const at = platform.Date.now()
    const headers: Record<string, string> = { 'content-type': 'application/json' }
    if (byCookie) headers['x-token-delivery'] = 'cookie'
    if (retryKey) headers['idempotency-key'] = retryKey
    if (token) headers.authorization = `Bearer ${token}`
    const response = await platform
      .fetch(`${base}/auth/${path}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
        credentials: byCookie ? 'include' : 'omit',
        redirect: 'error',
        signal: timeoutSignal(platform, REQUEST_TIMEOUT),
      })
      .catch((cause) => {
        throw new PawlClientError(0, {}, 0, cause)
      })
    const { ok, status } = response
    if (path === 'logout' && status === 204) return undefined
    const content = ((await response.json().catch(() => {})) ?? {}) as Content
    const { accessToken, sessionId: session, refreshToken, expiresIn = 0 } = content
    // A refresh token that came although it should be in the cookie must not be stored.
    const isComplete = session && expiresIn > 0 && !refreshToken === byCookie
    if (ok && typeof accessToken === 'string' && isComplete)
      return { access: { session, token: accessToken, life: expiresIn * 1_000, at }, refreshToken }
    // Nobody else's text is shown to the user, and nobody else's code is believed.
    const problem = /^urn:pawl:/.test(content.type as string) ? content : {}
    throw new PawlClientError(status, problem, Number(response.headers.get('retry-after')) || 0)
  }
}

/**
 * Repeats work that fails because Pawl did not respond or is unavailable: neither says anything
 * about the session. Work takes the lock itself, so other tabs can work during a pause.
 */
export async function retryTransient<T>(platform: Platform, work: () => Promise<T>): Promise<T> {
  for (let retry = 0; ; retry++) {
    try {
      return await work()
    } catch (error) {
      const { status, retryAfter, offline } = error as PawlClientError
      const isTransient = offline || status === 429 || status >= 500
      if (!isTransient || retry >= MAX_RETRIES || retryAfter > MAX_RETRY_AFTER) throw error
      await sleep(platform, Math.max(retryAfter * 1_000, 500 * 2 ** retry * (0.5 + Math.random())))
    }
  }
}

/** Turns Pawl's own refusal of the token into undefined: there is no such session. */
export function ignoreEnded(error: PawlClientError): undefined {
  if (!/(MISSING|INVALID|REFRESH)_TOKEN$/.test(error.code as string)) throw error
}
