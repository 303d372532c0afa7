import { PawlError, unavailable } from '../errors.ts'
import type { RevocationFeed } from '../revocation/revocation-feed.ts'
import type { Revocations } from '../revocation/revocations.ts'
import type { SessionRecords } from '../sessions/session-records.ts'
import type { Found, SessionStore } from '../sessions/session-store.ts'
import type { AccessClaims, AccessTokens } from './access-token.ts'
import type { RefreshClaims, RefreshTokens } from './refresh-token.ts'

/** Who a request acts for, as `request.auth`. */
export interface Auth {
  userId: string
  sessionId: string
  roles: string[]
  /** The access token's `jti`. */
  tokenId: string
  /** When the access token expires, in milliseconds since the epoch. */
  expiresAt: number
}

export interface InspectionOptions {
  accessTokens: Pick<AccessTokens, 'readExpired'>
  refreshTokens: Pick<RefreshTokens, 'readExpired'>
  store: Pick<SessionStore, 'find'>
  records: Pick<SessionRecords, 'find'>
  revocations: Pick<Revocations, 'denies' | 'isSessionRevoked'>
  feed: Pick<RevocationFeed, 'age'>
  /** Milliseconds that this node may be behind the revocations before it refuses to answer. */
  revocationMaxStaleness: number
  /** Milliseconds since the epoch. */
  clock: () => number
}

/** What tokens are worth. Nothing here changes anything; where it cannot be known, it rejects with `AUTH_UNAVAILABLE`. */
export function createInspection(options: InspectionOptions) {
  const {
    accessTokens,
    refreshTokens,
    store,
    records,
    revocations,
    feed,
    revocationMaxStaleness,
    clock,
  } = options

  function requireFreshness(): void {
    if (feed.age() > revocationMaxStaleness) throw unavailable('the feed of revocations')
  }

  /** On or after `exp` a token is dead (RFC 7519 4.1.4). */
  const isExpired = ({ exp }: { exp: number }) => clock() >= exp * 1000

  /** Why an access token that is well signed is dead, as far as this node has heard. */
  function reasonAgainst(claims: AccessClaims): string | undefined {
    // Before all else, since the feed keeps the clock right, too.
    requireFreshness()
    if (isExpired(claims)) return 'expired'
    return revocations.denies(claims) ? 'revoked' : undefined
  }

  /** The session as the stores know it, where it goes on. */
  async function findLive({ sub, sid }: { sub: string; sid: string }): Promise<Found | undefined> {
    const found = (await store.find(sub, sid)) ?? (await records.find(sid, clock()))
    return found === 'condemned' ? undefined : found
  }

  async function checkFresh(claims: AccessClaims): Promise<void> {
    const found = await findLive(claims)
    if (!found) throw invalid('session ended')
    if (claims.ver < found.ver) throw invalid('authorization changed')
  }

  return {
    requireFreshness,

    /**
     * Who the bearer of an access token is; `fresh` asks the stores too, rather than trust what this node has heard.
     * Rejects with `AUTH_INVALID_TOKEN`.
     */
    async authenticate(token: string, fresh = false): Promise<Auth> {
      const claims = await accessTokens.readExpired(token)
      if (!claims) throw invalid('malformed or forged')
      const reason = reasonAgainst(claims)
      if (reason) throw invalid(reason)
      if (fresh) await checkFresh(claims)
      const { sub: userId, sid: sessionId, roles, jti: tokenId, exp } = claims
      // A copy: whoever changes it changes it for this request alone.
      return { userId, sessionId, roles: [...roles], tokenId, expiresAt: exp * 1000 }
    },

    /** The claims of an access token, where `authenticate` accepts it. */
    async inspectAccess(token: string): Promise<AccessClaims | undefined> {
      const claims = await accessTokens.readExpired(token)
      return claims && reasonAgainst(claims) === undefined ? claims : undefined
    },

    /** The claims of a refresh token, where it is the newest of a session that goes on. */
    async inspectRefresh(token: string): Promise<RefreshClaims | undefined> {
      const claims = await refreshTokens.readExpired(token)
      if (!claims) return undefined
      requireFreshness()
      if (isExpired(claims) || revocations.isSessionRevoked(claims.sid)) return undefined
      const found = await findLive(claims)
      // One that is ahead is the better witness: the stores have lost writes.
      return found && claims.gen >= found.generation ? claims : undefined
    },
  }
}

export function invalid(reason: string): PawlError {
  return new PawlError('AUTH_INVALID_TOKEN', { reason })
}
