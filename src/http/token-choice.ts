import { PawlError } from '../errors.ts'
import type { SessionStatus } from '../sessions/session-store.ts'
import type { RefreshClaims } from '../tokens/refresh-token.ts'

export interface TokenChoiceOptions {
  /** Returns the claims of a token of this service, even if it has expired. */
  read: (token: string) => Promise<RefreshClaims | undefined> | RefreshClaims | undefined
  /** Returns the status of a session if it is live. Changes nothing. */
  find: (userId: string, sessionId: string) => Promise<SessionStatus | undefined>
  /** Returns milliseconds since 1970. */
  clock: () => number
}

interface Candidate {
  token: string
  claims: RefreshClaims
}

/**
 * Creates what decides which of several refresh tokens a browser means. Somebody else may have set
 * one of the cookies, so a token beside a good one is neither an obstacle nor a sign of theft.
 */
export function createTokenChoice({ read, find, clock }: TokenChoiceOptions) {
  async function readAll(tokens: readonly string[]): Promise<Candidate[]> {
    const candidates: Candidate[] = []
    for (const token of tokens) {
      const claims = await read(token)
      if (claims) candidates.push({ token, claims })
    }
    return candidates
  }

  return {
    /**
     * Returns the tokens to present, in this order, until one is accepted. It is one token if one
     * is the newest of a live session. Otherwise it is the spent tokens of live sessions: the
     * response that replaced one of them may have been lost, and if not, it is theft.
     */
    async order(tokens: readonly string[]): Promise<string[]> {
      if (tokens.length < 2) return [...tokens]
      const spent: { token: string; lag: number }[] = []
      for (const { token, claims } of newestOfEachSession(await readAll(tokens))) {
        const session = await find(claims.sub, claims.sid)
        if (!session) continue
        const lag = session.generation - claims.gen
        if (lag > 0) spent.push({ token, lag })
        else if (clock() < claims.exp * 1000) return [token]
      }
      if (spent.length === 0) return tokens.slice(0, 1)
      return spent.sort((a, b) => a.lag - b.lag).map(({ token }) => token)
    },
  }
}

/**
 * Presents tokens until one is accepted. Rejects like the last attempt, and at once if an attempt
 * fails for another reason than its token.
 */
export async function presentInOrder<T>(
  tokens: readonly string[],
  present: (token: string) => Promise<T>,
): Promise<T> {
  let refusal = new PawlError('AUTH_MISSING_TOKEN')
  for (const token of tokens) {
    try {
      return await present(token)
    } catch (error) {
      if (!(error instanceof PawlError) || error.code !== 'AUTH_INVALID_REFRESH_TOKEN') throw error
      refusal = error
    }
  }
  throw refusal
}

/** Keeps the order. Beside a newer token of its session, a spent one says nothing. */
function newestOfEachSession(candidates: readonly Candidate[]): Candidate[] {
  const newest = new Map<string, Candidate>()
  for (const candidate of candidates) {
    const { sid, gen } = candidate.claims
    if (gen > (newest.get(sid)?.claims.gen ?? 0)) newest.set(sid, candidate)
  }
  return [...newest.values()]
}
