/**
 * A small model of the server: one session in its hot state and in Postgres, and what a presented refresh token means
 * for it. Written from the table of rules, not from the code that it judges, with each rule a switch: a search that
 * finds nothing has to be able to find something.
 */

/**
 * Time is counted in ticks of two thirds of the grace period: one tick later is within the grace, two are past it, and
 * things that happened at different times leave the grace one after the other. Beyond that, ages are not told apart.
 */
export const LATER = 2

/** A session's generation after a spent token was found. */
export const CONDEMNED = 0

export interface Hot {
  generation: number
  /** Ticks since the rotation. */
  age: number
  /** Who made the attempt whose retry key is stored; '' for none. A key is used for one generation only. */
  key: string
}

/** As Postgres knows the session. */
export interface Truth {
  checkpoint: number
  revoked: boolean
}

export interface Rules {
  /** A replay within the grace leaves its retry key where none is stored. */
  adoption: boolean
  /** A generation from the future is believed. */
  healing: boolean
  reopenAt: 'the newer' | 'the checkpoint' | 'the presented'
  /** Sessions that Postgres knows to be ended are closed again when the hot state comes back older than it was. */
  closingAgain: boolean
  /** A replay within the grace delivers the same successor; else it makes another. */
  oneSuccessor: boolean
  /** A spent token is accepted until its successor is used, however late. */
  spentUntilUsed: boolean
  /** A re-opening that finds the presented generation spent stores the retry key in the same write. */
  reopeningKeepsKey: boolean
}

export const TABLE: Rules = {
  adoption: true,
  healing: true,
  reopenAt: 'the newer',
  closingAgain: true,
  oneSuccessor: true,
  spentUntilUsed: false,
  reopeningKeepsKey: true,
}

export interface Answer {
  outcome: 'rotated' | 'replayed' | 'healed' | 'reused' | 'refused'
  hot: Hot | undefined
  /** The hot state did not know the session, and Postgres knew it alive. */
  reopenedAt: number | undefined
  /** This answer made a line, rather than deliver one again. */
  isNew: boolean
}

export function isServed({ outcome }: Answer): boolean {
  return outcome === 'rotated' || outcome === 'replayed' || outcome === 'healed'
}

export function present(
  hot: Hot | undefined,
  truth: Truth,
  generation: number,
  key: string,
  rules: Rules,
): Answer {
  if (hot) return { ...judge(hot, generation, key, rules), reopenedAt: undefined }
  if (truth.revoked) return { outcome: 'refused', hot, reopenedAt: undefined, isNew: false }
  const reopened = reopen(truth, generation, key, rules)
  return { ...judge(reopened, generation, key, rules), reopenedAt: reopened.generation }
}

export function reopen({ checkpoint }: Truth, presented: number, key: string, rules: Rules): Hot {
  const newer = Math.max(presented, checkpoint)
  const generation = {
    'the newer': newer,
    'the checkpoint': checkpoint,
    'the presented': presented,
  }[rules.reopenAt]
  const isSpent = generation === presented + 1
  return { generation, age: 0, key: rules.reopeningKeepsKey && isSpent ? key : '' }
}

function judge(hot: Hot, presented: number, key: string, rules: Rules): Omit<Answer, 'reopenedAt'> {
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

  if (hot.age < LATER) {
    if (!rules.oneSuccessor) return { outcome: 'replayed', hot: next, isNew: true }
    const kept = hot.key === '' && rules.adoption ? key : hot.key
    return { outcome: 'replayed', hot: { ...hot, key: kept }, isNew: false }
  }
  const isRetry = hot.key !== '' && hot.key === key
  return isRetry || rules.spentUntilUsed ? { outcome: 'replayed', hot, isNew: false } : reused
}
