import type { GuessReservation, GuessStore } from './guess-store.ts'
import { type Tally, waitOf, withGuess, withoutGuess } from './tally.ts'

/** Maximum number of keys. Beyond it, the one that was not used for the longest time is lost. */
const MAX_KEYS = 100_000
/** Keys that each reservation looks at, to remove those whose guesses are all forgotten. */
const SWEPT = 2

type Tallies = Map<string, Tally>

/** Creates a store in this process, for the embedded default. A restart loses the counts. */
export function createMemoryGuessStore(now: () => number): GuessStore {
  /** The key that was used last comes last. */
  const keys = new Map<string, Tallies>()

  function sweep(time: number): void {
    let left = SWEPT
    for (const [key, tallies] of keys) {
      if (left-- === 0) break
      removeForgotten(tallies, time)
      keys.delete(key)
      if (tallies.size > 0) keys.set(key, tallies)
    }
  }

  return {
    async reserve(key, requests): Promise<GuessReservation> {
      const time = now()
      sweep(time)
      const tallies: Tallies = keys.get(key) ?? new Map()
      let refusal = { name: '', wait: 0 }
      for (const { name, rule } of requests) {
        const wait = waitOf(tallies.get(name), rule, time)
        if (wait > refusal.wait) refusal = { name, wait }
      }
      if (refusal.wait > 0) return { outcome: 'refused', ...refusal }
      removeForgotten(tallies, time)
      for (const { name, rule } of requests)
        tallies.set(name, withGuess(tallies.get(name), rule, time))
      keys.delete(key)
      keys.set(key, tallies)
      const [oldest] = keys.keys()
      if (keys.size > MAX_KEYS && oldest !== undefined) keys.delete(oldest)
      return { outcome: 'reserved' }
    },

    async settle(key, names, settlement) {
      const tallies = keys.get(key)
      if (!tallies) return
      for (const name of names) {
        const tally = tallies.get(name)
        const rest = tally && settlement === 'returned' ? withoutGuess(tally) : undefined
        if (rest) tallies.set(name, rest)
        else tallies.delete(name)
      }
      if (tallies.size === 0) keys.delete(key)
    },

    async forget(key) {
      keys.delete(key)
    },
  }
}

function removeForgotten(tallies: Tallies, time: number): void {
  for (const [name, { until }] of tallies) if (time >= until) tallies.delete(name)
}
