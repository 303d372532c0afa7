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

export interface HotSession {
  generation: number
  /** Ticks since the rotation. */
  age: number
  /** Who made the attempt whose retry key is stored, or ''. A key belongs to one generation. */
  key: string
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
  /** Revoked sessions are closed again when the hot state is restored to an earlier state. */
  closingAgain: boolean
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
  closingAgain: true,
  oneSuccessor: true,
  spentUntilUsed: false,
  reopeningKeepsKey: true,
}

export interface Decision {
  outcome: 'rotated' | 'replayed' | 'healed' | 'reused' | 'refused'
  hot: HotSession | undefined
  /** The generation at which the session was re-opened, if the hot state had lost it. */
  reopenedAt: number | undefined
  /** Whether this decision made a new token, rather than return one again. */
  isNew: boolean
}

export function isServed({ outcome }: Decision): boolean {
  return outcome === 'rotated' || outcome === 'replayed' || outcome === 'healed'
}

export function present(
  hot: HotSession | undefined,
  row: SessionRow,
  generation: number,
  key: string,
  rules: Rules,
): Decision {
  if (hot) return { ...decide(hot, generation, key, rules), reopenedAt: undefined }
  if (row.revoked) return { outcome: 'refused', hot, reopenedAt: undefined, isNew: false }
  const reopened = reopen(row, generation, key, rules)
  return { ...decide(reopened, generation, key, rules), reopenedAt: reopened.generation }
}

export function reopen(
  { checkpoint }: SessionRow,
  presented: number,
  key: string,
  rules: Rules,
): HotSession {
  const newer = Math.max(presented, checkpoint)
  const generation = {
    'the newer': newer,
    'the checkpoint': checkpoint,
    'the presented': presented,
  }[rules.reopenAt]
  const isSpent = generation === presented + 1
  return { generation, age: 0, key: rules.reopeningKeepsKey && isSpent ? key : '' }
}

function decide(
  hot: HotSession,
  presented: number,
  key: string,
  rules: Rules,
): Omit<Decision, 'reopenedAt'> {
  const reused = {
    outcome: 'reused',
    hot: { generation: CONDEMNED, age: 0, key: '' },
    isNew: false,
  } as const
  if (hot.generation === CONDEMNED) return reused

  const behind = hot.generation - presented
  const next = { generation: presented + 1, age: 0, key }
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
