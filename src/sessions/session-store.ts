/**
 * The hot state of sessions: what a refresh reads and writes, in one atomic step per call. It may
 * lose everything at any time. Two stores implement it, `memory-store.ts` and `redis-store.ts`, and
 * one conformance suite runs on both.
 */
import type { PresentedToken, RotationRules } from './rotation.ts'

/** What a user may do, as carried by access tokens. */
export interface Authorization {
  /** Raised with every change of the user's roles or status. The higher version wins. */
  ver: number
  roles: readonly string[]
}

/** The newest refresh token of a session: the facts that it is derived from. */
export interface CurrentToken {
  generation: number
  /** Milliseconds since 1970. */
  rotatedAt: number
  /** Milliseconds since 1970. */
  expiresAt: number
}

interface SessionToOpen {
  userId: string
  sessionId: string
  /** Milliseconds since 1970. */
  absoluteExpiry: number
  authorization: Authorization
  /** 1 at login. Higher if the store lost the session and re-opens it. */
  generation: number
  /** The retry key of the refresh that led to this generation, if it is known. */
  retryKey: string | null
}

export interface OpenResult {
  currentToken: CurrentToken
  /** The authorization of the request, or a newer one that the store already had. */
  authorization: Authorization
  /** Ids of sessions that were removed to make room, the least recently used first. */
  evicted: string[]
}

/** The result of a refresh that is served with a token. */
export interface AcceptedRotation {
  outcome: 'rotated' | 'replayed' | 'healed'
  currentToken: CurrentToken
  authorization: Authorization
  /**
   * The store's own time of the decision, in milliseconds since 1970. Tokens are issued by it,
   * whatever the clock of this node says.
   */
  now: number
}

export type RotationResult =
  | AcceptedRotation
  /** `currentGeneration` is 0 if the session had been condemned before. */
  | { outcome: 'reused'; currentGeneration: number; now: number }
  | { outcome: 'expired' }
  | { outcome: 'unknown' }

/** What a store knows about a live session. */
export interface SessionStatus {
  /** The version of the user's authorization. */
  ver: number
  roles: readonly string[]
  /** The generation of the session's newest refresh token, as far as the store knows. */
  generation: number
}

/** What the hot state knows about a live session. */
export interface HotSessionStatus extends SessionStatus {
  /** When the session ends, however much it is used. Milliseconds since 1970, in whole seconds. */
  absoluteExpiry: number
}

export interface StoreSettings extends RotationRules {
  /** Maximum number of sessions of a user. One more evicts the least recently used. */
  maxSessionsPerUser: number
}

export interface SessionStore {
  /**
   * Starts a session, or re-opens one that was lost. A session that the store already has stays as
   * it is.
   */
  open(session: SessionToOpen): Promise<OpenResult>

  /** Presents the generation of a refresh token. The outcome is in force when this resolves. */
  rotate(userId: string, sessionId: string, presented: PresentedToken): Promise<RotationResult>

  /** Removes a session that was revoked. Idempotent. */
  close(userId: string, sessionId: string): Promise<void>

  /** Removes all sessions of a user, or all but one. Idempotent. */
  closeAll(userId: string, except?: string): Promise<void>

  /**
   * Sets the authorization of the next access token of each of the user's sessions. Has no effect
   * if the store has one of the same version or of a newer one. Returns what is in force now, or
   * undefined if the user has no session.
   */
  setAuthorization(userId: string, authorization: Authorization): Promise<Authorization | undefined>

  /**
   * Makes every session of every user unknown from now on. The cost does not depend on their
   * number.
   */
  forgetAll(): Promise<void>

  /** Reads a session without changing it. Returns undefined if the store does not know it. */
  find(userId: string, sessionId: string): Promise<HotSessionStatus | 'condemned' | undefined>

  /** Rejects if the store is unavailable. */
  ping(): Promise<void>
}
