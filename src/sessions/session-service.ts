import { setTimeout as delay } from 'node:timers/promises'
import { parseId } from '../common/id.ts'
import type { SessionView, TokenPair } from '../embedding/views.ts'
import { PawlError } from '../errors.ts'
import type { NewEvent } from '../events/event.ts'
import { numericDate } from '../keys/jwt.ts'
import type { OnCommit, RevocationRecords } from '../revocation/revocation-records.ts'
import type { Revoker } from '../revocation/revoker.ts'
import type { AccessTokens } from '../tokens/access-token.ts'
import type { AddedClaims } from '../tokens/added-claims.ts'
import type { RefreshTokens } from '../tokens/refresh-token.ts'
import type { SessionConstants } from '../tokens/session-constants.ts'
import { issueTokenPair } from '../tokens/token-pair.ts'
import type { Device } from './device.ts'
import type { SessionEndReason } from './session.ts'
import {
  type AuthenticatedUser,
  createIdentity,
  type NewSession,
  type SessionStarter,
} from './session-starter.ts'
import type { SessionViews } from './session-views.ts'

export interface SessionServiceOptions {
  starter: SessionStarter
  views: SessionViews
  accessTokens: AccessTokens
  refreshTokens: RefreshTokens
  /** Asks the application what to add to an access token. */
  addedClaims?: AddedClaims | undefined
  revocationRecords: Pick<RevocationRecords, 'revokeAll'>
  revoker: Pick<Revoker, 'revokeSessions' | 'publish'>
  /** Milliseconds that a session lives without a refresh. */
  refreshIdleTtl: number
  /** Called with each login. */
  onEvent: (event: NewEvent) => void
  /** Returns milliseconds since 1970. */
  clock: () => number
}

/** A session that can start. */
export interface PreparedSession {
  identity: NewSession
  constants: SessionConstants
  /** What the application adds to the first access token. */
  added: Record<string, unknown> | undefined
}

/** Milliseconds. */
const LONGEST_WAIT = 200

export type SessionService = ReturnType<typeof createSessionService>

/**
 * Creates the service that starts, lists and ends sessions. A session that it ends is refused by
 * every node when the method resolves, at the latest after the maximum staleness. Every method
 * rejects with `AUTH_UNAVAILABLE` if a store that it needs is unavailable.
 */
export function createSessionService(options: SessionServiceOptions) {
  const { starter, views, accessTokens, refreshTokens, revocationRecords, revoker } = options
  const { addedClaims, refreshIdleTtl, onEvent, clock } = options

  async function end(id: string, reason: SessionEndReason, owner?: string): Promise<boolean> {
    const sessionId = parseId(id)
    const userId = sessionId && (await views.findOwner(sessionId))
    if (!userId || userId !== (owner ?? userId)) return false
    await revoker.revokeSessions([{ userId, sessionId }], reason)
    return true
  }

  return {
    /**
     * Prepares a session, which changes nothing. By default the user has just given their password.
     * Rejects with `AUTH_UNAVAILABLE` if the application cannot say which claims to add.
     */
    async prepare(
      { id: userId, roles }: { id: string; roles: readonly string[] },
      { authTime, amr = ['pwd'], claims }: Partial<SessionConstants> = {},
    ): Promise<PreparedSession> {
      const identity = createIdentity(clock())
      const added = await addedClaims?.({ userId, roles, sessionId: identity.sessionId })
      const now = numericDate(identity.createdAt)
      const constants = {
        authTime: Math.min(authTime ?? now, now),
        amr,
        ...(claims && { claims: omit(claims, added) }),
      }
      return { identity, constants, added }
    },

    /**
     * Starts a prepared session for a user who has just been authenticated. Rejects with
     * `AUTH_UNAVAILABLE` if the user was changed since then, perhaps their password: it has to be
     * checked again.
     */
    async start(
      user: AuthenticatedUser,
      device: Device,
      { identity, constants, added }: PreparedSession,
    ): Promise<TokenPair> {
      const started = await starter.start(user, device, identity)
      if (!started)
        throw new PawlError('AUTH_UNAVAILABLE', { reason: 'the user changed during the login' })
      const { sessionId, currentToken } = started
      onEvent({ type: 'login_succeeded', userId: user.id, sessionId, device, detail: {} })
      const session = { userId: user.id, constants, added, ...started }
      return issueTokenPair({ accessTokens, refreshTokens }, session, currentToken.rotatedAt)
    },

    /** Returns the live sessions of a user, newest first. */
    list: (userId: string): Promise<SessionView[]> => views.list(userId, clock(), refreshIdleTtl),

    /**
     * Ends one session of a user. Returns false if the user has no such session. A session that has
     * ended already is revoked once more, which has no effect.
     */
    end: (userId: string, id: string, reason: SessionEndReason): Promise<boolean> =>
      end(id, reason, userId),

    /** Ends a session, whosever it is. Returns false if there never was such a session. */
    endById: (id: string, reason: SessionEndReason): Promise<boolean> => end(id, reason),

    /**
     * Ends the session of a refresh token, or of an access token as well if `kind` is `any`. The
     * token may have expired or been revoked. Returns false if it is not a token of this service.
     */
    async endByToken(token: string, kind: 'refresh' | 'any'): Promise<boolean> {
      const claims =
        (await refreshTokens.readExpired(token)) ??
        (kind === 'any' ? await accessTokens.readExpired(token) : undefined)
      if (!claims) return false
      const session = { userId: claims.sub, sessionId: claims.sid }
      await revoker.revokeSessions([session], 'logout')
      return true
    },

    /**
     * Ends every session of every user in one step, however many there are. `onCommit` runs in the
     * same transaction.
     */
    async revokeAll(onCommit?: OnCommit): Promise<void> {
      const { before, later } = await revocationRecords.revokeAll(clock(), onCommit)
      const sessions = later.map((session) => ({ kind: 'session' as const, ...session }))
      await revoker.publish({ kind: 'everything', before }, ...sessions)
      // The time `before` is in the near future, and a login until then would be revoked at once.
      const wait = Math.min(before - clock(), LONGEST_WAIT)
      if (wait > 0) await delay(wait)
    },
  }
}

/** Returns the claims without those that the application adds to each token anyway. */
function omit(claims: Readonly<Record<string, unknown>>, added: object = {}) {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => !Object.hasOwn(added, name)))
}
