import { PawlClientError } from './error.ts'
import type { Platform } from './platform.ts'

export interface TokenResponse {
  accessToken: string
  /** Absent if the server sets it as a cookie. */
  refreshToken?: string
  /** The access token's lifetime in seconds. */
  expiresIn: number
  sessionId: string
}

/** Milliseconds after which a request is aborted. */
const REQUEST_TIMEOUT = 10_000
/** Milliseconds. If the server asks for a longer wait, the caller gets the error instead. */
const MAX_RETRY_AFTER = 60_000
const MAX_RETRIES = 4

/**
 * Returns a function that posts to an auth route of Pawl. It rejects with `PawlClientError`, whose
 * status is 0 without a complete response.
 */
export function createPost({ fetch, timeoutSignal }: Platform, base: string, byCookie: boolean) {
  return async (
    path: string,
    body?: object | '' | undefined,
    retryKey?: string,
  ): Promise<TokenResponse | undefined> => {
    const headers: Record<string, string> = {}
    if (byCookie) headers['x-token-delivery'] = 'cookie'
    if (retryKey) headers['idempotency-key'] = retryKey
    if (body) headers['content-type'] = 'application/json'
    try {
      const response = await fetch(`${base}/auth/${path}`, {
        method: 'POST',
        headers,
        body: body ? JSON.stringify(body) : null,
        credentials: byCookie ? 'include' : 'omit',
        redirect: 'error',
        signal: timeoutSignal(REQUEST_TIMEOUT),
      })
      const { ok, status } = response
      if (ok) return status === 204 ? undefined : ((await response.json()) as TokenResponse)
      const problem = (await response.json().catch(() => ({}))) as object
      throw new PawlClientError(status, problem, Number(response.headers.get('retry-after')) || 0)
    } catch (error) {
      throw error instanceof PawlClientError ? error : new PawlClientError(0, {}, 0, error)
    }
  }
}

/**
 * Repeats work that fails because there is no response or the server is unavailable: neither says
 * anything about the session. Work takes the lock itself, so other tabs can work during a pause.
 */
export async function retryTransient<T>({ sleep }: Platform, work: () => Promise<T>): Promise<T> {
  for (let retry = 0; ; retry++) {
    try {
      return await work()
    } catch (error) {
      const { status, retryAfter } = error as PawlClientError
      const isTransient = status === 0 || status === 429 || status >= 500
      if (!isTransient || retry >= MAX_RETRIES || retryAfter * 1_000 > MAX_RETRY_AFTER) throw error
      await sleep(Math.max(retryAfter * 1_000, 500 * 2 ** retry * (0.5 + Math.random())))
    }
  }
}

/** Turns a 401 into undefined: it is a valid response that says that there is no such session. */
export function ignore401(error: PawlClientError): undefined {
  if (error.status !== 401) throw error
}
