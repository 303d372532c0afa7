import type { TallyRule } from './tally.ts'

export interface TallyRequest {
  /** The name of the tally under its key. */
  name: string
  rule: TallyRule
}

export type GuessReservation =
  | { outcome: 'reserved' }
  /** `name` is the tally with the longest wait, in milliseconds. */
  | { outcome: 'refused'; name: string; wait: number }

/**
 * `cleared`: the password was right, so the guesses before it do not count any more. `returned`: no
 * password was checked, so this one does not count.
 */
export type Settlement = 'cleared' | 'returned'

/**
 * Counts guesses. What happens to a key is atomic, so guesses that are made at the same time never
 * exceed a limit. All methods reject with `AUTH_UNAVAILABLE` if the store is unavailable.
 */
export interface GuessStore {
  /** Counts a guess in all of these tallies, or in none if one of them does not allow it. */
  reserve(key: string, tallies: readonly TallyRequest[]): Promise<GuessReservation>
  /** Takes back what `reserve` counted. */
  settle(key: string, names: readonly string[], settlement: Settlement): Promise<void>
  /** Forgets all guesses under the key. */
  forget(key: string): Promise<void>
}
