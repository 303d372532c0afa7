/** How many guesses a tally allows. Times in milliseconds. */
export interface TallyRule {
  /** Guesses in a row, until the first of them are forgotten. */
  limit: number
  /** How long each guess is remembered. They add up: n guesses are forgotten after n times this. */
  memory: number
  /** Guesses without a pause. The pause after the next one is a second, and then it doubles. */
  free: number
  /** The longest pause. */
  longestPause: number
}

/** The guesses that are counted under one name. Times in milliseconds since 1970. */
export interface Tally {
  count: number
  /** The time of the latest guess. */
  at: number
  /** When all of them are forgotten. */
  until: number
}

const FIRST_PAUSE = 1_000

/**
 * Returns the milliseconds until a guess is allowed: 0 if it is allowed now. A clock that was set
 * back makes no wait longer. reserve.lua does the same.
 */
export function waitOf(tally: Tally | undefined, rule: TallyRule, now: number): number {
  if (!tally || now >= tally.until) return 0
  const { count, at, until } = tally
  if (count >= rule.limit) return Math.min(until - now, count * rule.memory)
  const pause = pauseAfter(count, rule)
  return Math.max(0, Math.min(at + pause - now, pause))
}

function pauseAfter(count: number, { free, longestPause }: TallyRule): number {
  return count > free ? Math.min(longestPause, FIRST_PAUSE * 2 ** (count - free - 1)) : 0
}

/** Returns the tally with one guess more. reserve.lua does the same. */
export function withGuess(tally: Tally | undefined, { memory }: TallyRule, now: number): Tally {
  const count = (tally && now < tally.until ? tally.count : 0) + 1
  return { count, at: now, until: now + count * memory }
}

/** Returns the tally with one guess less, or undefined if none is left. settle.lua does the same. */
export function withoutGuess({ count, at, until }: Tally): Tally | undefined {
  if (count <= 1) return undefined
  const memory = Math.floor((until - at) / count)
  return { count: count - 1, at, until: at + (count - 1) * memory }
}
