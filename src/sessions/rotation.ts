/**
 * The rules of rotation as one pure function: what a presented generation means for a session, and
 * what the session's state is afterwards. `lua/rotate.lua` contains the same rules for Redis. A
 * property test checks that the two agree.
 */
import { createHash } from 'node:crypto'
import { CLOCK_TOLERANCE } from '../common/clocks.ts'

/** The generation of a session after reuse was detected: no token is accepted any more. */
export const CONDEMNED = 0

export interface SessionState {
  /** The generation of the newest refresh token, counted from 1, or `CONDEMNED`. */
  generation: number
  /**
   * When that token was issued, in milliseconds since 1970. Its `iat` and `exp` derive from it. It
   * never decreases, even if the clock was set back between two rotations.
   */
  rotatedAt: number
  /** Milliseconds by which `rotatedAt` was ahead of the clock at the rotation. Usually 0. */
  lead: number
  /** The retry key of the refresh that led to this generation, if there was one. */
  retryKey: string | null
  /** Milliseconds since 1970. */
  absoluteExpiry: number
}

export interface RotationRules {
  /** Milliseconds for which a spent token gets its successor, with or without a retry key. */
  grace: number
  /** Milliseconds that a session lives without a refresh. */
  refreshIdleTtl: number
}

/** A reading of the clock. Both times are in milliseconds since 1970. */
export interface ClockReading {
  now: number
  /** When the clock was last set back, or was first read: it has run steadily since this time. */
  steadySince: number
}

export interface PresentedToken {
  generation: number
  retryKey: string | null
}

export type Decision =
  | { outcome: 'rotated' | 'replayed' | 'healed'; state: SessionState }
  | { outcome: 'reused'; state: SessionState; currentGeneration: number }
  | { outcome: 'expired'; state: null }

/**
 * Returns the retry key of an `Idempotency-Key`: the first 6 bytes of its SHA-256, in hex. The key
 * itself is never stored. 6 bytes are enough, because a thief has only one guess: after a wrong key
 * the session is condemned.
 */
export function retryKeyOf(idempotencyKey: string | undefined): string | null {
  if (idempotencyKey === undefined) return null
  return createHash('sha256').update(idempotencyKey).digest('hex').slice(0, 12)
}

/** Returns when the newest refresh token and its session expire, in milliseconds since 1970. */
export function expiryOf(
  { rotatedAt, absoluteExpiry }: SessionState,
  { refreshIdleTtl }: RotationRules,
): number {
  return Math.min(rotatedAt + refreshIdleTtl, absoluteExpiry)
}

/**
 * Returns the milliseconds since the rotation. If the clock was set back since then, the time of
 * the rotation lies ahead, and all that is known is that it came before the clock was set.
 */
function sinceRotation({ rotatedAt, lead }: SessionState, { now, steadySince }: ClockReading) {
  const elapsed = now - (rotatedAt - lead)
  return elapsed < -CLOCK_TOLERANCE ? now - steadySince : Math.max(0, elapsed)
}

/**
 * Returns the state of a session whose last rotation came before a time by the clock, whatever the
 * stored time says: the clock was set back after the rotation.
 */
export function rotatedBefore(state: SessionState, at: number): SessionState {
  return { ...state, lead: Math.max(state.lead, state.rotatedAt - at) }
}

/** Decides what a presented token means. */
export function decide(
  state: SessionState,
  presented: PresentedToken,
  clock: ClockReading,
  rules: RotationRules,
): Decision {
  const { now } = clock
  const { generation, rotatedAt, retryKey } = state
  const condemned = { ...state, generation: CONDEMNED }

  if (generation === CONDEMNED)
    return { outcome: 'reused', state: condemned, currentGeneration: CONDEMNED }
  if (now >= expiryOf(state, rules)) return { outcome: 'expired', state: null }

  if (presented.generation >= generation) {
    // A generation above the stored one must have been signed by us, so the store lost writes. The
    // token is then the better source.
    const outcome = presented.generation > generation ? 'healed' : 'rotated'
    const nextRotatedAt = Math.max(now, rotatedAt)
    const next = {
      generation: presented.generation + 1,
      rotatedAt: nextRotatedAt,
      lead: nextRotatedAt - now,
      retryKey: presented.retryKey,
    }
    return { outcome, state: { ...state, ...next } }
  }

  if (presented.generation === generation - 1) {
    if (sinceRotation(state, clock) <= rules.grace) {
      // Two tabs refreshed at once. If the first one sent no key, the key of the second is adopted:
      // the response to the second may get lost, and its retry must succeed.
      return { outcome: 'replayed', state: { ...state, retryKey: retryKey ?? presented.retryKey } }
    }
    if (retryKey !== null && retryKey === presented.retryKey) return { outcome: 'replayed', state }
  }

  return { outcome: 'reused', state: condemned, currentGeneration: generation }
}
