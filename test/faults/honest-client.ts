import type { TokenPair } from '../../src/schemas/token-pair.ts'
import { newRetryKey } from '../support/credentials.ts'
import { type Calls, generationOf } from './calls.ts'
import type { Random } from './random.ts'
import { GRACE, STALL } from './system.ts'

export interface HonestClientOptions {
  calls: Calls
  random: Random
  /** True once the run is coming to its end. */
  isOver: () => boolean
  /** Rejects where the run is broken off. */
  pause: (ms: number) => Promise<void>
  isVictim: boolean
}

export type HonestClient = ReturnType<typeof createHonestClient>

/**
 * How long a refresh that has no key, or one of several keys, may be tried anew: the last attempt must be through within
 * the grace of the first, though it meets with a stall.
 */
const RETRY_LIMIT = GRACE - STALL[1] - 300
/** Between two refreshes: what of one is still held up when the next is made must not do harm. */
const SHORTEST = 1_000
/** The longest, of a client at his ease and of one with a thief at his heels, who is to have the time for everything. */
const LONGEST = GRACE + 2_500
const LONGEST_OF_VICTIM = 3.5 * GRACE
const LOSS = 0.15

/**
 * A person with up to three tabs that share one storage for the tokens. Tabs may refresh at once with the same token. Each
 * attempt has a key of its own, or none; it is repeated with that key until its answer has arrived, or another tab has
 * brought a newer token. Some answers are lost on purpose, and some of those are asked for again only much later.
 */
export function createHonestClient(
  first: TokenPair,
  { calls, random, isOver, pause, isVictim }: HonestClientOptions,
) {
  const session = first.sessionId
  const tabs = Math.ceil(random.next() * 3)
  const hasKeys = random.chance(0.8)
  let stored = first
  let state: 'in' | 'refused' | 'gave up' | 'left' = 'in'

  const isSpent = (token: string) => generationOf(stored.refreshToken) > generationOf(token)

  function store(pair: TokenPair): void {
    // A tab that was slow does not put an old pair over a new one.
    if (!isSpent(pair.refreshToken)) stored = pair
  }

  async function attempt(alone: boolean): Promise<void> {
    const token = stored.refreshToken
    const key = hasKeys ? newRetryKey() : undefined
    const isRepairable = alone && key !== undefined
    const begun = performance.now()
    for (;;) {
      const { status, pair } = await calls.refresh({ session, party: 'owner', token, key })
      const isLost = status === 200 && !isOver() && random.chance(LOSS)
      if (pair && !isLost) return store(pair)
      if (status === 401) {
        state = 'refused'
        return
      }
      const late = isLost && isRepairable && random.chance(0.3)
      await pause(late ? random.between(GRACE, 2 * GRACE) : random.between(50, 300))
      if (isSpent(token) || state !== 'in') return
      if (!isRepairable && performance.now() > begun + RETRY_LIMIT) return
    }
  }

  async function refresh(): Promise<void> {
    const before = stored
    const atOnce = random.chance(0.4) ? tabs : 1
    await Promise.all(Array.from({ length: atOnce }, () => attempt(atOnce === 1)))
    if (stored === before && state === 'in') state = 'gave up'
  }

  async function use(until: number): Promise<void> {
    while (performance.now() < until && state === 'in' && !isOver()) {
      await calls.access(session, stored.accessToken)
      await pause(Math.min(random.between(200, 900), Math.max(0, until - performance.now())))
    }
  }

  return {
    session,
    /** The newest pair of the storage. */
    stored: () => stored,
    state: () => state,

    /** Use and refresh the session until it is over, at the latest after so many milliseconds. */
    async live(lifetime: number): Promise<void> {
      const end = performance.now() + lifetime
      while (state === 'in' && performance.now() < end && !isOver()) {
        await use(
          performance.now() + random.between(SHORTEST, isVictim ? LONGEST_OF_VICTIM : LONGEST),
        )
        if (state === 'in' && !isOver()) await refresh()
      }
    },

    refresh,

    /** Log out, and insist on it if told so. Answers whether it was acknowledged. */
    async logOut(insists: boolean, server?: number): Promise<boolean> {
      state = 'left'
      for (;;) {
        if ((await calls.logOut(session, stored.refreshToken, server)) === 204) return true
        if (!insists) return false
        await pause(random.between(50, 300))
      }
    },
  }
}
