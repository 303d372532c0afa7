/**
 * A small model of the server: one session in the hot state and in Postgres, and what a presented
 * refresh token means for it. It is written from the documented rules, not from the code that it
 * checks. Each rule is a switch, because a search that finds nothing must be able to find
 * something.
 */

/**
 * Ticks after which the grace is over. A tick is two thirds of the grace period: one tick later is
 * within the grace and two are past it, so the grace of two events may end at different times.
 * Higher ages make no difference.
 */
export const PAST_GRACE = 2

/** The generation of a session after reuse was detected. */
export const CONDEMNED = 0

/** The number of ticks to or since an event that does not happen. */
export const NEVER = -1

/** What a rotation or a re-opening sets, unless it says otherwise. */
const FRESH = { age: 0, key: '', isStale: false, recurs: NEVER }

export interface HotSession {
  generation: number
  /**
   * Ticks since the rotation, as the clock shows them. If the clock was set back, that is all the
   * time since then, or negative if nobody noticed.
   */
  age: number
  /** Who made the attempt whose retry key is stored, or ''. A key belongs to one generation. */
  key: string
  /** Of an earlier era: Postgres is asked before it is served. */
  isStale: boolean
  /** Ticks until a clock that was set back shows the time of the rotation again, or `NEVER`. */
  recurs: number
}

/** The session in Postgres. */
export interface SessionRow {
  checkpoint: number
  revoked: boolean
}

export interface Rules {
  /** A replay within the grace stores its retry key if none is stored. */
  adoption: boolean
  /** A generation that is ahead of the hot state is accepted. */
  healing: boolean
  reopenAt: 'the newer' | 'the checkpoint' | 'the presented'
  /** A new era begins when the server of the hot state may have other data than before. */
  eras: boolean
  /** Eras have an order, so an older self of the server is noticed, too. */
  orderedEras: boolean
  /** What the stream of revocations has, and Postgres has lost, is revoked in Postgres again. */
  postgresIsHealed: boolean
  /** A rotation in the future counts from the moment at which the clock was set back. */
  setBackIsNoticed: boolean
  /** A new era begins when the clock was set back. */
  eraAfterSetBack: boolean
  /** A replay within the grace gets the same successor. Otherwise it gets another one. */
  oneSuccessor: boolean
  /** A spent token is accepted until its successor is used, however late. */
  spentUntilUsed: boolean
  /** A re-opening one generation ahead of the token stores its retry key in the same write. */
  reopeningKeepsKey: boolean
}

export const RULES: Rules = {
  adoption: true,
  healing: true,
  reopenAt: 'the newer',
  eras: true,
  orderedEras: true,
  postgresIsHealed: true,
  setBackIsNoticed: true,
  eraAfterSetBack: true,
  oneSuccessor: true,
  spentUntilUsed: false,
  reopeningKeepsKey: true,
}

export interface Decision {
  outcome: 'rotated' | 'replayed' | 'healed' | 'reused' | 'refused'
  hot: HotSession | undefined
  /** The generation at which the session was re-opened, if the hot state had lost it. */
  reopenedAt: number | undefined
  /** The generation that the re-opening asked for. What the hot state still knows may be newer. */
  requested: number | undefined
  /** Whether this decision made a new token, rather than return one again. */
  isNew: boolean
}

export function isServed({ outcome }: Decision): boolean {
  return outcome === 'rotated' || outcome === 'replayed' || outcome === 'healed'
}

/** Returns whether the hot state decides about this session without Postgres. */
export function isKnown({ isStale, generation }: HotSession): boolean {
  return !isStale || generation === CONDEMNED
}

export function present(
  hot: HotSession | undefined,
  row: SessionRow,
  generation: number,
  key: string,
  rules: Rules,
): Decision {
  const notReopened = { reopenedAt: undefined, requested: undefined }
  if (hot && isKnown(hot)) return { ...decide(hot, generation, key, rules), ...notReopened }
  if (row.revoked) return { outcome: 'refused', hot, isNew: false, ...notReopened }
  const { requested, session } = reopen(hot, row, generation, key, rules)
  const decision = decide(session, generation, key, rules)
  return { ...decision, reopenedAt: session.generation, requested }
}

export function reopen(
  hot: HotSession | undefined,
  { checkpoint }: SessionRow,
  presented: number,
  key: string,
  rules: Rules,
): { requested: number; session: HotSession } {
  const newer = Math.max(presented, checkpoint)
  const requested = {
    'the newer': newer,
    'the checkpoint': checkpoint,
    'the presented': presented,
  }[rules.reopenAt]
  // A session of an earlier era joins this one, unless Postgres or the client knows a newer one.
  if (hot && hot.generation >= requested) return { requested, session: { ...hot, isStale: false } }
  const isSpent = requested === presented + 1
  const storedKey = rules.reopeningKeepsKey && isSpent ? key : ''
  return { requested, session: { ...FRESH, generation: requested, key: storedKey } }
}

function decide(
  hot: HotSession,
  presented: number,
  key: string,
  rules: Rules,
): Omit<Decision, 'reopenedAt' | 'requested'> {
  const reused = {
    outcome: 'reused',
    hot: { ...FRESH, generation: CONDEMNED },
    isNew: false,
  } as const
  if (hot.generation === CONDEMNED) return reused

  const behind = hot.generation - presented
  const next = { ...FRESH, generation: presented + 1, key }
  if (behind === 0) return { outcome: 'rotated', hot: next, isNew: true }
  if (behind < 0) return rules.healing ? { outcome: 'healed', hot: next, isNew: true } : reused
  if (behind > 1) return reused

  if (hot.age < PAST_GRACE) {
    if (!rules.oneSuccessor) return { outcome: 'replayed', hot: next, isNew: true }
    const stored = hot.key === '' && rules.adoption ? key : hot.key
    return { outcome: 'replayed', hot: { ...hot, key: stored }, isNew: false }
  }
  const isRetry = hot.key !== '' && hot.key === key
  return isRetry || rules.spentUntilUsed ? { outcome: 'replayed', hot, isNew: false } : reused
}
