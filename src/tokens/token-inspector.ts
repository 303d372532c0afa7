import { PawlError, unavailable } from '../errors.ts'
import type { RevocationFeed } from '../revocation/revocation-feed.ts'
import type { Revocations } from '../revocation/revocations.ts'
import type { SessionRecords } from '../sessions/session-records.ts'
import type { SessionStatus, SessionStore } from '../sessions/session-store.ts'
import type { AccessClaims, AccessTokens } from './access-token.ts'
import type { Auth } from './auth.ts'
import type { RefreshClaims, RefreshTokens } from './refresh-token.ts'

/**
 * Milliseconds by which a token may be issued in the future, because the clocks of servers differ.
 */
const ISSUE_LEEWAY = 60_000

export interface TokenInspectorOptions {
  accessTokens: Pick<AccessTokens, 'readExpired'>
  refreshTokens: Pick<RefreshTokens, 'readExpired'>
  store: Pick<SessionStore, 'find'>
  records: Pick<SessionRecords, 'find'>
  revocations: Pick<Revocations, 'denies' | 'isSessionRevoked'>
  feed: Pick<RevocationFeed, 'age'>
  /** Milliseconds that this node may be behind the revocations before it responds with 503. */
  revocationMaxStaleness: number
  /** Returns milliseconds since 1970. */
  clock: () => number
}

/**
 * Creates what decides whether tokens are valid. It changes nothing. Its methods reject with
 * `AUTH_UNAVAILABLE` if that cannot be known.
 */
export function createTokenInspector(options: TokenInspectorOptions) {
  const { accessTokens, refreshTokens, store, records, revocations, feed } = options
  const { revocationMaxStaleness, clock } = options

  function requireFreshness(): void {
    if (feed.age() > revocationMaxStaleness) throw unavailable('the feed of revocations')
  }

  /** A token is not accepted on or after its `exp` (RFC 7519 4.1.4). */
  const isExpired = ({ exp }: { exp: number }) => clock() >= exp * 1000

  /** Returns why a well-signed access token is refused, or undefined if it is accepted. */
  function refusalReason(claims: AccessClaims): string | undefined {
    // This comes first, because the feed also keeps the clock right that expiry is judged by.
    requireFreshness()
    if (isExpired(claims)) return 'expired'
    // A clock that was ahead has issued this token. Its `exp` is too late by as much, so its
    // revocation may be forgotten before it expires.
    if (claims.iat * 1000 > clock() + ISSUE_LEEWAY) return 'issued in the future'
    return revocations.denies(claims) ? 'revoked' : undefined
  }

  /** Returns the status of a session from the stores, or undefined if it is not live. */
  async function findLive(sub: string, sid: string): Promise<SessionStatus | undefined> {
    const found = (await store.find(sub, sid)) ?? (await records.find(sid, clock()))
    return found === 'condemned' ? undefined : found
  }

  /**
   * Returns the user's roles by Postgres. The hot state says whether the session is condemned. What
   * it says of the user's rights does not count here, because somebody who can write to Redis could
   * have put back an earlier snapshot of them.
   */
  async function readRoles({ sub, sid, ver }: AccessClaims): Promise<string[]> {
    if ((await store.find(sub, sid)) === 'condemned') throw invalid('session ended')
    const found = await records.find(sid, clock())
    if (!found) throw invalid('session ended')
    if (ver < found.ver) throw invalid('authorization changed')
    return found.roles
  }

  return {
    /** Throws `AUTH_UNAVAILABLE` if this node may not know the latest revocations. */
    requireFreshness,

    /**
     * Returns who the bearer of an access token is. With `fresh` it also asks the stores, instead
     * of relying on the revocations that this node knows. The roles are then those in Postgres.
     * Rejects with `AUTH_INVALID_TOKEN`.
     */
    async authenticate(token: string, fresh = false): Promise<Auth> {
      const claims = await accessTokens.readExpired(token)
      if (!claims) throw invalid('malformed or forged', true)
      const reason = refusalReason(claims)
      if (reason) throw invalid(reason)
      const { sub: userId, sid: sessionId, jti: tokenId, exp, auth_time: authTime, amr } = claims
      const roles = fresh ? await readRoles(claims) : claims.roles
      // The arrays are copied, because the claims are cached: a route that changes one must not
      // change it for later requests.
      return {
        userId,
        sessionId,
        roles: [...roles],
        authTime,
        amr: [...amr],
        claims: claims.extra,
        sessionClaims: claims.constant,
        tokenId,
        expiresAt: exp * 1000,
      }
    },

    /** Returns the claims of an access token if `authenticate` accepts it. */
    async inspectAccess(token: string): Promise<AccessClaims | undefined> {
      const claims = await accessTokens.readExpired(token)
      return claims && refusalReason(claims) === undefined ? claims : undefined
    },

    /**
     * Returns the status of a session that is live as far as the stores and the revocations that
     * this node knows tell.
     */
    findSession: async (userId: string, sessionId: string): Promise<SessionStatus | undefined> =>
      revocations.isSessionRevoked(sessionId) ? undefined : findLive(userId, sessionId),

    /** Returns the claims of a refresh token if it is the newest one of a live session. */
    async inspectRefresh(token: string): Promise<RefreshClaims | undefined> {
      const claims = await refreshTokens.readExpired(token)
      if (!claims) return undefined
      requireFreshness()
      if (isExpired(claims) || revocations.isSessionRevoked(claims.sid)) return undefined
      const found = await findLive(claims.sub, claims.sid)
      // A token that is ahead of the stores is accepted: we signed it, so they have lost writes.
      return found && claims.gen >= found.generation ? claims : undefined
    },
  }
}

function invalid(reason: string, isForged = false): PawlError {
  return new PawlError('AUTH_INVALID_TOKEN', { reason, isForged })
}
