/**
 * The hot state of sessions: what a refresh reads and writes, in one atomic step per call. It may lose everything at
 * any time. Two stores implement it, and one conformance suite runs on both: `memory-store.ts` and `redis-store.ts`.
 */
import type { Presented, RotationRules } from './rotation.ts'

/** What a user may do, as carried by access tokens. */
export interface Authorization {
  /** Raised with every change of roles or status; the higher one wins. */
  ver: number
  roles: readonly string[]
}

/** The newest refresh token of a session, by the facts it is derived from. Times in milliseconds. */
export interface Line {
  generation: number
  rotatedAt: number
  expiresAt: number
}

export interface NewSession {
  userId: string
  sessionId: string
  absoluteExpiry: number
  authorization: Authorization
  /** 1 at login; more where the store lost a session that goes on. */
  generation: number
  /** Of the attempt that made this generation, where it is known. */
  retryKey: string | null
}

export interface Opened {
  line: Line
  /** The given one, or a newer one that the store already had. */
  authorization: Authorization
  /** Sessions that were ended to make room, the least recently used first. */
  evicted: string[]
}

export type Rotation =
  /** `now` is the store's own time of the decision: tokens are issued by it, whatever the clock of this node says. */
  | {
      outcome: 'rotated' | 'replayed' | 'healed'
      line: Line
      authorization: Authorization
      now: number
    }
  /** `currentGeneration` is 0 where the session had been condemned before. */
  | { outcome: 'reused'; currentGeneration: number; now: number }
  | { outcome: 'expired' }
  | { outcome: 'unknown' }

/** Of a session that goes on. */
export interface Found {
  /** Of its user's authorization. */
  ver: number
  /** Of its newest refresh token, as far as is known. */
  generation: number
}

export interface StoreSettings extends RotationRules {
  /** How many sessions a user may have; one more ends the least recently used. */
  maxSessionsPerUser: number
}

export interface SessionStore {
  /** Start a session, or go on with one that was lost. A session that the store has already stays as it is. */
  open(session: NewSession): Promise<Opened>

  /** Present a refresh token's generation. By the time of the answer the outcome is in force. */
  rotate(userId: string, sessionId: string, presented: Presented): Promise<Rotation>

  /** Forget a session that has ended. Idempotent. */
  close(userId: string, sessionId: string): Promise<void>

  /** Forget the sessions of a user, all or all but one. Idempotent. */
  closeAll(userId: string, except?: string): Promise<void>

  /** What the next access token of each of the user's sessions says; an older one changes nothing. */
  authorize(userId: string, authorization: Authorization): Promise<void>

  /** From now on every session is unknown, whoever's it is; at no cost that grows with their number. */
  forgetAll(): Promise<void>

  /** A look, which changes nothing; undefined where the session is not known. */
  find(userId: string, sessionId: string): Promise<Found | 'condemned' | undefined>

  /** Rejects where the store cannot be reached. */
  ping(): Promise<void>
}
