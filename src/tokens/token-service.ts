import { v7 as uuid } from 'uuid'
import type { Log } from '../common/log.ts'
import { PawlError, unavailable } from '../errors.ts'
import type { Occurrence } from '../events/event.ts'
import type { RevocationFeed } from '../revocation/revocation-feed.ts'
import type { Revocations } from '../revocation/revocations.ts'
import type { Revoker } from '../revocation/revoker.ts'
import type { TokenPair } from '../schemas/token-pair.ts'
import type { Checkpoints } from '../sessions/checkpoints.ts'
import { retryKeyOf } from '../sessions/retry-key.ts'
import type { Device, SessionRecords } from '../sessions/session-records.ts'
import { createOpening } from '../sessions/session-reopener.ts'
import type { Authorization, Line, Rotation, SessionStore } from '../sessions/session-store.ts'
import type { AccessTokens } from './access-token.ts'
import { createInspection, invalid } from './inspection.ts'
import type { RefreshClaims, RefreshTokens } from './refresh-token.ts'

export interface TokenServiceOptions {
  accessTokens: AccessTokens
  refreshTokens: RefreshTokens
  store: SessionStore
  records: SessionRecords
  checkpoints: Checkpoints
  revoker: Revoker
  revocations: Revocations
  feed: RevocationFeed
  /** Milliseconds that this node may be behind the revocations before it refuses to answer. */
  revocationMaxStaleness: number
  /** The longest life of a session, in milliseconds. */
  sessionMaxTtl: number
  /** Hears what came of each refresh. */
  onRefresh: (outcome: Rotation['outcome'] | 'invalid') => void
  /** Hears of logins, of refreshes and of sessions that have expired. */
  onEvent?: (event: Occurrence) => void
  /** Milliseconds since the epoch. */
  clock: () => number
  log: Log
}

type Accepted = Extract<Rotation, { line: Line }>

export type { Auth } from './inspection.ts'
export type TokenService = ReturnType<typeof createTokenService>

/** The life of a token. Every method that cannot reach a store it needs rejects with `AUTH_UNAVAILABLE`. */
export function createTokenService(options: TokenServiceOptions) {
  const {
    accessTokens,
    refreshTokens,
    store,
    records,
    checkpoints,
    revoker,
    onRefresh,
    sessionMaxTtl,
    clock,
    log,
  } = options
  const { onEvent = () => {} } = options
  const opening = createOpening({ store, records, revoker, clock, log })
  const { requireFreshness, authenticate, inspectAccess, inspectRefresh } =
    createInspection(options)

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
  async function endForReuse(
    claims: RefreshClaims,
    currentGeneration: number,
    now: number,
    device: Device,
  ) {
    const { sub: userId, sid: sessionId, gen: presentedGeneration } = claims
    const event = { userId, sessionId, presentedGeneration, currentGeneration }
    log.warn(
      { event: 'reuse_found', ...event, ip: device.ip },
      'a spent refresh token came back: the session ends',
    )
    await revoker.revokeForReuse({ ...event, device }, now)
  }

  function deliver(
    { sub: userId, sid: sessionId }: RefreshClaims,
    { outcome, line, authorization, now }: Accepted,
    device: Device,
  ): TokenPair {
    const { generation } = line
    checkpoints.note(sessionId, { generation, lastSeenAt: now, device })
    onEvent({ type: 'refresh', userId, sessionId, device, detail: { outcome, generation } })
    return pair(userId, sessionId, authorization, line, now)
  }

  async function endSession(token: string, kind: 'refresh' | 'any'): Promise<boolean> {
    const claims =
      (await refreshTokens.readExpired(token)) ??
      (kind === 'any' ? await accessTokens.readExpired(token) : undefined)
    if (claims)
      await revoker.revokeSessions([{ userId: claims.sub, sessionId: claims.sid }], 'logout')
    return claims !== undefined
  }

  return {
    /** Rejects where the hot state cannot be reached, or this node is behind the revocations. */
    async ping(): Promise<void> {
      requireFreshness()
      await store.ping()
    },

    /**
     * Start a session for a user who has just proven who he is. Rejects with `AUTH_UNAVAILABLE` where the user was changed
     * since, his password perhaps: it has to be proven again.
     */
    async open(user: Authorization & { id: string }, device: Device): Promise<TokenPair> {
      const createdAt = clock()
      const sessionId = uuid({ msecs: createdAt })
      const opened = await opening.open(
        {
          userId: user.id,
          sessionId,
          absoluteExpiry: createdAt + sessionMaxTtl,
          authorization: { ver: user.ver, roles: user.roles },
          generation: 1,
          retryKey: null,
        },
        createdAt,
        device,
      )
      if (!opened) throw unavailable('the account, which is being changed,')
      onEvent({ type: 'login_succeeded', userId: user.id, sessionId, device, detail: {} })
      return pair(user.id, sessionId, opened.authorization, opened.line, opened.line.rotatedAt)
    },

    /**
     * Turn a session one notch forward. The same token, presented again within the grace period or with the
     * `Idempotency-Key` of the attempt that spent it, is answered with the same successor. Whatever else is wrong is
     * one `AUTH_INVALID_REFRESH_TOKEN`; a spent token that comes back ends the session first.
     */
    async refresh(
      token: string,
      idempotencyKey: string | undefined,
      device: Device,
    ): Promise<TokenPair> {
      // Not asked whether the token has expired: the store knows when the session does. A spent token that comes back is
      // theft however old it is, and the retry of a lost response is none.
      const claims = await refreshTokens.readExpired(token)
      if (!claims) {
        onRefresh('invalid')
        throw refused('malformed or forged')
      }
      const { sub: userId, sid: sessionId, gen: generation } = claims
      // This process may have been stopped since the request arrived, and the client have gone on with another node.
      requireFreshness()
      // Nodes hear of the end of a session also where its part of the hot state could not be reached.
      if (options.revocations.isSessionRevoked(sessionId)) throw refused('revoked')
      const result = await opening.rotate(claims, retryKeyOf(idempotencyKey))
      onRefresh(result.outcome)
      switch (result.outcome) {
        case 'healed':
          log.warn(
            { event: 'healed', userId, sessionId, generation },
            'the hot state had lost writes',
          )
          return deliver(claims, result, device)
        case 'rotated':
        case 'replayed':
          return deliver(claims, result, device)
        case 'reused':
          await endForReuse(claims, result.currentGeneration, result.now, device)
          throw refused('reused')
        case 'expired':
          onEvent({
            type: 'session_ended',
            userId,
            sessionId,
            device,
            detail: { reason: 'expired' },
          })
          throw refused('session expired')
        case 'unknown':
          throw refused('session ended')
      }
    },

    authenticate,
    inspectAccess,
    inspectRefresh,

    /**
     * End the session of a refresh token, or where `kind` says so of an access token as well; in force when this
     * resolves. A token that is dead already is enough, and twice is no error; any other rejects with
     * `AUTH_INVALID_TOKEN`.
     */
    async end(token: string, kind: 'refresh' | 'any'): Promise<void> {
      if (!(await endSession(token, kind))) throw invalid('malformed or forged')
    },

    /** The same for any kind, where a token that is none is as good as one that is dead (RFC 7009 2.2). */
    async revoke(token: string): Promise<void> {
      await endSession(token, 'any')
    },
  }
}

function refused(reason: string): PawlError {
  return new PawlError('AUTH_INVALID_REFRESH_TOKEN', { reason })
}
