import { v7 as uuid } from 'uuid'
import { PawlError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { TokenPair } from '../schemas/token-pair.ts'
import type { AccessTokens } from './access-token.ts'
import type { RefreshClaims, RefreshTokens } from './refresh-token.ts'
import { retryKeyOf } from './retry-key.ts'
import type { Device, SessionRecords } from './session-records.ts'
import type { Authorization, Line, SessionStore } from './session-store.ts'

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

export interface TokenServiceOptions {
  accessTokens: AccessTokens
  refreshTokens: RefreshTokens
  store: SessionStore
  records: SessionRecords
  /** The longest life of a session, in milliseconds. */
  maxTtl: number
  /** Milliseconds since the epoch. */
  clock: () => number
  log: Log
}

export type TokenService = ReturnType<typeof createTokenService>

/** The life of a token. Every method that cannot reach a store it needs rejects with `AUTH_UNAVAILABLE`. */
export function createTokenService(options: TokenServiceOptions) {
  const { accessTokens, refreshTokens, store, records, maxTtl, clock, log } = options

  function pair(
    userId: string,
    sessionId: string,
    authorization: Authorization,
    line: Line,
    now: number,
  ): TokenPair {
    const access = accessTokens.issue({ userId, sessionId, authorization }, now, line.expiresAt)
    const refresh = refreshTokens.issue(userId, sessionId, line, now)
    return {
      accessToken: access.token,
      refreshToken: refresh.token,
      tokenType: 'Bearer',
      expiresIn: access.expiresIn,
      refreshExpiresIn: refresh.expiresIn,
      sessionId,
    }
  }

  /** The commit comes before the refusal: should this process die in between, the session is still condemned. */
  async function endForReuse(claims: RefreshClaims, currentGeneration: number, now: number, device: Device) {
    const { sub: userId, sid: sessionId, gen: presentedGeneration } = claims
    const event = { userId, sessionId, presentedGeneration, currentGeneration }
    log.warn(
      { event: 'reuse_found', ...event, ip: device.ip },
      'a spent refresh token came back: the session ends',
    )
    await records.revokeForReuse({ ...event, device }, now)
    await store.close(userId, sessionId)
  }

  return {
    /** Rejects where the hot state cannot be reached. */
    ping: () => store.ping(),

    /** Start a session for a user who has just proven who he is. */
    async open(user: Authorization & { id: string }, device: Device): Promise<TokenPair> {
      const sessionId = uuid()
      const createdAt = clock()
      const expiresAt = createdAt + maxTtl
      await records.insert({ id: sessionId, userId: user.id, createdAt, expiresAt }, device)
      const authorization = { ver: user.ver, roles: user.roles }
      const opened = await store.open({
        userId: user.id,
        sessionId,
        absoluteExpiry: expiresAt,
        authorization,
      })
      if (opened.evicted.length > 0) {
        log.info(
          { event: 'sessions_evicted', userId: user.id, sessions: opened.evicted },
          'session cap reached',
        )
        await records.revoke(opened.evicted, 'session_cap', createdAt)
      }
      return pair(user.id, sessionId, opened.authorization, opened.line, opened.line.rotatedAt)
    },

    /**
     * Turn a session one notch forward. The same token, presented again within the grace period or with the
     * `Idempotency-Key` of the attempt that spent it, is answered with the same successor. Whatever else is wrong is
     * one `AUTH_INVALID_REFRESH_TOKEN`; a spent token that comes back ends the session first.
     */
    async refresh(token: string, idempotencyKey: string | undefined, device: Device): Promise<TokenPair> {
      const claims = refreshTokens.read(token, clock())
      if (!claims) throw refused('malformed, forged or expired')
      const { sub: userId, sid: sessionId, gen: generation } = claims
      const result = await store.rotate(userId, sessionId, {
        generation,
        retryKey: retryKeyOf(idempotencyKey),
      })
      switch (result.outcome) {
        case 'healed':
          log.warn({ event: 'healed', userId, sessionId, generation }, 'the hot state had lost writes')
          return pair(userId, sessionId, result.authorization, result.line, result.now)
        case 'rotated':
        case 'replayed':
          return pair(userId, sessionId, result.authorization, result.line, result.now)
        case 'reused':
          await endForReuse(claims, result.currentGeneration, result.now, device)
          throw refused('reused')
        case 'expired':
          throw refused('session expired')
        case 'unknown':
          // The seam for re-opening: a session that the hot state lost but Postgres knows is alive.
          throw refused('session unknown')
      }
    },

    /** Who the bearer of an access token is. Rejects with `AUTH_INVALID_TOKEN`. */
    async authenticate(token: string): Promise<Auth> {
      const claims = accessTokens.read(token, clock())
      if (!claims) throw new PawlError('AUTH_INVALID_TOKEN', { reason: 'malformed, forged or expired' })
      const { sub: userId, sid: sessionId, ver, roles, jti: tokenId, exp } = claims
      const current = await store.find(userId, sessionId)
      if (current === undefined) throw new PawlError('AUTH_INVALID_TOKEN', { reason: 'session ended' })
      if (ver < current) throw new PawlError('AUTH_INVALID_TOKEN', { reason: 'authorization changed' })
      return { userId, sessionId, roles, tokenId, expiresAt: exp * 1000 }
    },

    /**
     * End the session of a refresh token, or where `kind` says so of an access token as well; in force when this
     * resolves. A token that is dead already is enough, and twice is no error; any other rejects with
     * `AUTH_INVALID_TOKEN`.
     */
    async end(token: string, kind: 'refresh' | 'any'): Promise<void> {
      const claims =
        refreshTokens.readExpired(token) ?? (kind === 'any' ? accessTokens.readExpired(token) : undefined)
      if (!claims) throw new PawlError('AUTH_INVALID_TOKEN', { reason: 'malformed or forged' })
      await records.revoke([claims.sid], 'logout', clock())
      await store.close(claims.sub, claims.sid)
    },
  }
}

function refused(reason: string): PawlError {
  return new PawlError('AUTH_INVALID_REFRESH_TOKEN', { reason })
}
