import type { Log } from '../common/log.ts'
import type { TokenPair } from '../embedding/views.ts'
import { PawlError } from '../errors.ts'
import type { NewEvent } from '../events/event.ts'
import type { RevocationFeed } from '../revocation/revocation-feed.ts'
import type { Revocations } from '../revocation/revocations.ts'
import type { Revoker } from '../revocation/revoker.ts'
import type { Checkpoints } from '../sessions/checkpoints.ts'
import type { Device } from '../sessions/device.ts'
import { retryKeyOf } from '../sessions/rotation.ts'
import type { SessionCap } from '../sessions/session-cap.ts'
import type { SessionRecords } from '../sessions/session-records.ts'
import { createSessionReopener } from '../sessions/session-reopener.ts'
import type { AcceptedRotation, RotationResult, SessionStore } from '../sessions/session-store.ts'
import type { AccessTokens } from './access-token.ts'
import type { AddedClaims } from './added-claims.ts'
import { constantsOf, type RefreshClaims, type RefreshTokens } from './refresh-token.ts'
import { createTokenInspector } from './token-inspector.ts'
import { issueTokenPair } from './token-pair.ts'

export interface TokenServiceOptions {
  accessTokens: AccessTokens
  refreshTokens: RefreshTokens
  store: SessionStore
  records: Pick<SessionRecords, 'withLiveSession' | 'find'>
  checkpoints: Pick<Checkpoints, 'note'>
  revoker: Pick<Revoker, 'announceRevoked' | 'revokeForReuse' | 'settleVersion'>
  cap: SessionCap
  revocations: Revocations
  feed: RevocationFeed
  /** Asks the application what to add to an access token. */
  addedClaims?: AddedClaims | undefined
  /** Milliseconds that this node may be behind the revocations before it responds with 503. */
  revocationMaxStaleness: number
  /** Called with the outcome of each refresh. */
  onRefresh: (outcome: RotationResult['outcome'] | 'invalid') => void
  /** Called with refreshes, and with sessions that have expired. */
  onEvent: (event: NewEvent) => void
  /** Returns milliseconds since 1970. */
  clock: () => number
  log: Log
}

export type TokenService = ReturnType<typeof createTokenService>

/**
 * Creates the service that refreshes and checks tokens. Every method rejects with
 * `AUTH_UNAVAILABLE` if a store that it needs is unavailable.
 */
export function createTokenService(options: TokenServiceOptions) {
  const { refreshTokens, store, checkpoints, revoker, revocations } = options
  const { addedClaims, onRefresh, onEvent, log } = options
  const reopener = createSessionReopener(options)
  const inspector = createTokenInspector(options)

  /** Commits the revocation before the caller refuses the token. */
  async function revokeForReuse(
    claims: RefreshClaims,
    { currentGeneration, now }: Extract<RotationResult, { outcome: 'reused' }>,
    device: Device,
  ): Promise<void> {
    const { sub: userId, sid: sessionId, gen: presentedGeneration } = claims
    const event = { userId, sessionId, presentedGeneration, currentGeneration }
    log.warn(
      { event: 'reuse_found', ...event, ip: device.ip },
      'a spent refresh token was presented: the session is revoked',
    )
    // If this process dies before the commit, the session is still condemned.
    await revoker.revokeForReuse({ ...event, device }, now)
  }

  /**
   * Asks the application for claims before the token is spent, so that nothing is spent if that
   * fails. Returns undefined if there is nobody to ask, or if the session is not live.
   */
  async function askBefore({ sub, sid }: RefreshClaims): Promise<Asked | undefined> {
    const status = await inspector.findSession(sub, sid)
    if (!addedClaims || !status) return undefined
    const { roles } = status
    return { roles, added: await addedClaims({ userId: sub, sessionId: sid, roles }) }
  }

  /** Asks again if the roles have changed during the refresh. */
  async function issueWithAdded(
    claims: RefreshClaims,
    rotation: AcceptedRotation,
    device: Device,
    asked: Asked | undefined,
  ): Promise<TokenPair> {
    const { roles } = rotation.authorization
    const isCurrent = asked && asked.roles.join() === roles.join()
    const subject = { userId: claims.sub, sessionId: claims.sid, roles }
    const added = isCurrent ? asked.added : await addedClaims?.(subject)
    return issueSuccessor(claims, rotation, device, added)
  }

  function issueSuccessor(
    claims: RefreshClaims,
    { outcome, currentToken, authorization, now }: AcceptedRotation,
    device: Device,
    added?: Record<string, unknown>,
  ): TokenPair {
    const { sub: userId, sid: sessionId } = claims
    const { generation } = currentToken
    checkpoints.note(sessionId, { userId, generation, lastSeenAt: now, device })
    onEvent({ type: 'refresh', userId, sessionId, device, detail: { outcome, generation } })
    const constants = constantsOf(claims)
    return issueTokenPair(
      options,
      { userId, sessionId, authorization, constants, added, currentToken },
      now,
    )
  }

  return {
    authenticate: inspector.authenticate,
    inspectAccess: inspector.inspectAccess,
    inspectRefresh: inspector.inspectRefresh,
    findSession: inspector.findSession,

    /** Rejects if the hot state is unavailable, or if this node is behind the revocations. */
    async ping(): Promise<void> {
      inspector.requireFreshness()
      await store.ping()
    },

    /**
     * Rotates a session: spends its refresh token and returns a new pair. The same token, presented
     * again within the grace period or with the `Idempotency-Key` of the attempt that spent it,
     * gets the same successor. If any other spent token is presented, the session is revoked first.
     * Every refusal is the same `AUTH_INVALID_REFRESH_TOKEN`. If the application cannot say which
     * claims to add, it rejects with `AUTH_UNAVAILABLE`, and the token is not spent, unless the
     * roles of the user change during the refresh.
     */
    async refresh(
      token: string,
      idempotencyKey: string | undefined,
      device: Device,
    ): Promise<TokenPair> {
      // Whether the token has expired is not checked here: the store knows when the session does. A
      // spent token is theft however old it is, and the retry of a lost response is not.
      const claims = await refreshTokens.readExpired(token)
      if (!claims) {
        onRefresh('invalid')
        throw refused('malformed or forged', true)
      }
      const { sub: userId, sid: sessionId, gen: generation } = claims
      // This process may have been stopped since the request arrived, and the client may have
      // refreshed at another node in the meantime.
      inspector.requireFreshness()
      // A revocation reaches the nodes even if its part of the hot state was unavailable.
      if (revocations.isSessionRevoked(sessionId)) throw refused('revoked')
      const asked = addedClaims && (await askBefore(claims))
      const issue = (rotation: AcceptedRotation) =>
        addedClaims
          ? issueWithAdded(claims, rotation, device, asked)
          : issueSuccessor(claims, rotation, device)
      const result = await reopener.rotate({
        userId,
        sessionId,
        generation,
        retryKey: retryKeyOf(idempotencyKey),
        tokenExpiresAt: claims.exp * 1000,
      })
      onRefresh(result.outcome)
      switch (result.outcome) {
        case 'healed':
          log.warn(
            { event: 'healed', userId, sessionId, generation },
            'the hot state had lost writes',
          )
          return issue(result)
        case 'rotated':
        case 'replayed':
          return issue(result)
        case 'reused':
          await revokeForReuse(claims, result, device)
          throw refused('reused')
        case 'expired': {
          const detail = { reason: 'expired' } as const
          onEvent({ type: 'session_ended', userId, sessionId, device, detail })
          throw refused('session expired')
        }
        case 'unknown':
          throw refused('session ended')
      }
    },
  }
}

/** What the application has added, and the roles for which it did. */
interface Asked {
  roles: readonly string[]
  added: Record<string, unknown>
}

function refused(reason: string, isForged = false): PawlError {
  return new PawlError('AUTH_INVALID_REFRESH_TOKEN', { reason, isForged })
}
