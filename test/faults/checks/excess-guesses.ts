import { groupBy } from '../group-by.ts'
import type { Guess } from '../record.ts'

/** Guesses at an account before the pauses begin. docs/guides/abuse.md has the limits. */
const AT_ONCE = 11
/** Milliseconds of the first pause. Each further one is twice as long. */
const FIRST_PAUSE = 1_000

/**
 * Returns the guesses at each account that were checked although the limit did not allow it. If the
 * time of a check cannot be told, the longest possible time since the first one counts.
 */
export function excessGuesses(guesses: readonly Guess[]): string[] {
  const checked = guesses.filter(({ status }) => status === 401)
  return [...groupBy(checked, ({ account }) => account)].flatMap(([account, own]) => {
    const first = Math.min(...own.map(({ start }) => start))
    const ends = own.map(({ end }) => end).sort((a, b) => a - b)
    return ends.flatMap((end, index) =>
      index < allowedWithin(end - first) ? [] : [`guess ${index + 1} at ${account} was checked`],
    )
  })
}

function allowedWithin(ms: number): number {
  return AT_ONCE + Math.floor(Math.log2(ms / FIRST_PAUSE + 1))
}
