import { PawlClientError } from './error.ts'
import type { Platform } from './platform.ts'
import { CALL_LIMIT } from './refresh-lock.ts'

export interface Tokens {
  accessToken: string
  refreshToken?: string
  /** Seconds. */
  expiresIn: number
  sessionId: string
}

/** Milliseconds: how long a server may ask for patience before the caller is told instead. */
const PATIENCE = 60_000
const RETRIES = 4

/** Posts to Pawl. Rejects with `PawlClientError`, its status 0 where no whole answer came. */
export function createCalls({ fetch, limit }: Platform, base: string, byCookie: boolean) {
  return async (
    path: string,
    body?: object | '' | undefined,
    key?: string,
  ): Promise<Tokens | undefined> => {
    const headers: Record<string, string> = {}
    if (byCookie) headers['x-token-delivery'] = 'cookie'
    if (key) headers['idempotency-key'] = key
    if (body) headers['content-type'] = 'application/json'
    try {
      const answer = await fetch(`${base}/auth/${path}`, {
        method: 'POST',
        headers,
        body: body ? JSON.stringify(body) : null,
        credentials: byCookie ? 'include' : 'omit',
        redirect: 'error',
        signal: limit(CALL_LIMIT),
      })
      const { ok, status } = answer
      if (ok) return status === 204 ? undefined : ((await answer.json()) as Tokens)
      const problem = (await answer.json().catch(() => ({}))) as object
      throw new PawlClientError(status, problem, Number(answer.headers.get('retry-after')) || 0)
    } catch (error) {
      throw error instanceof PawlClientError ? error : new PawlClientError(0, {}, 0, error)
    }
  }
}

/**
 * Again and again, for as long as it may yet be answered: neither silence nor an overloaded server says anything of a
 * session. Waits outside of the work, so that other tabs get their turn.
 */
export async function persist<T>({ sleep }: Platform, work: () => Promise<T>): Promise<T> {
  for (let retry = 0; ; retry++) {
    try {
      return await work()
    } catch (error) {
      const { status, retryAfter } = error as PawlClientError
      const isTransient = status === 0 || status === 429 || status >= 500
      if (!isTransient || retry >= RETRIES || retryAfter * 1_000 > PATIENCE) throw error
      await sleep(Math.max(retryAfter * 1_000, 500 * 2 ** retry * (0.5 + Math.random())))
    }
  }
}
