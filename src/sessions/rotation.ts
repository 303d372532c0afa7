/**
 * The rules of rotation as one pure function: what a presented generation means for a session, and what the session
 * becomes. `lua/rotate.lua` is the same table for Redis; a property test holds the two together.
 */

/** A session's generation once a spent token was presented: nothing is accepted any more. */
export const CONDEMNED = 0

export interface SessionState {
  /** The generation of the newest refresh token, counted from 1, or `CONDEMNED`. */
  generation: number
  /** When that token was made: its successor's times are derived from it. Milliseconds, as below. */
  rotatedAt: number
  /** The retry key that came with the refresh that made it, if any. */
  retryKey: string | null
  absoluteExpiry: number
}

export interface RotationRules {
  /** How long a spent token is answered with its successor, whoever presents it. Milliseconds. */
  grace: number
  /** How long a session lives without a refresh. Milliseconds. */
  refreshIdleTtl: number
}

export interface Presented {
  generation: number
  retryKey: string | null
}

export type Decision =
  | { outcome: 'rotated' | 'replayed' | 'healed'; state: SessionState }
  | { outcome: 'reused'; state: SessionState; currentGeneration: number }
  | { outcome: 'expired'; state: null }

/** When the newest refresh token expires, and the session with it. */
export function expiryOf(
  { rotatedAt, absoluteExpiry }: SessionState,
  { refreshIdleTtl }: RotationRules,
): number {
  return Math.min(rotatedAt + refreshIdleTtl, absoluteExpiry)
}

export function decide(
  state: SessionState,
  presented: Presented,
  now: number,
  rules: RotationRules,
): Decision {
  const { generation, rotatedAt, retryKey } = state
  const condemned = { ...state, generation: CONDEMNED }

  if (generation === CONDEMNED)
    return { outcome: 'reused', state: condemned, currentGeneration: CONDEMNED }
  if (now >= expiryOf(state, rules)) return { outcome: 'expired', state: null }

  if (presented.generation >= generation) {
    // A generation that we signed and do not know of: the store lost writes. The token is the better witness.
    const outcome = presented.generation > generation ? 'healed' : 'rotated'
    const next = {
      generation: presented.generation + 1,
      rotatedAt: now,
      retryKey: presented.retryKey,
    }
    return { outcome, state: { ...state, ...next } }
  }

  if (presented.generation === generation - 1) {
    if (now - rotatedAt <= rules.grace) {
      // Two tabs at once. The key of the one that lost is kept too where the winner sent none: its answer may get lost.
      return { outcome: 'replayed', state: { ...state, retryKey: retryKey ?? presented.retryKey } }
    }
    if (retryKey !== null && retryKey === presented.retryKey) return { outcome: 'replayed', state }
  }

  return { outcome: 'reused', state: condemned, currentGeneration: generation }
}
