import type { TokenPair } from '../../src/schemas/token-pair.ts'
import { newRetryKey } from '../support/credentials.ts'
import { type Calls, generationOf } from './calls.ts'
import type { Random } from './random.ts'
import { GRACE, STALL } from './system.ts'

export interface HonestClientOptions {
  calls: Calls
  random: Random
  /** Returns true once the run comes to its end. */
  isOver: () => boolean
  /** Rejects if the run is aborted. */
  pause: (ms: number) => Promise<void>
  isVictim: boolean
}

export type HonestClient = ReturnType<typeof createHonestClient>

/**
 * The time within which a refresh without a key, or with several keys, may be tried again. The last
 * attempt must complete within the grace period of the first, even if it meets a stall.
 */
const RETRY_LIMIT = GRACE - STALL[1] - 300
/**
 * The shortest time between two refreshes. A request of one refresh that is still delayed when the
 * next one is made must do no harm.
 */
const SHORTEST = 1_000
/**
 * The longest time between two refreshes: of an ordinary client, and of one with a thief, so that
 * there is time for everything.
 */
const LONGEST = GRACE + 2_500
const LONGEST_OF_VICTIM = 3.5 * GRACE
const LOSS = 0.15

/**
 * A person with up to three tabs that share one storage for the tokens. Tabs may refresh at once
 * with the same token. Each attempt has a key of its own, or none. It is repeated with that key
 * until its response has arrived or another tab has stored a newer token. Some responses are lost
 * on purpose, and some of those are requested again much later.
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
    // A slow tab must not replace a newer pair with an older one.
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
    /** Returns the newest pair of the storage. */
    stored: () => stored,
    state: () => state,

    /** Uses and refreshes the session until it is over, for at most so many milliseconds. */
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

    /**
     * Logs out, and repeats the request until it succeeds if `retries` is true. Returns
     * whether the logout was acknowledged.
     */
    async logOut(retries: boolean, server?: number): Promise<boolean> {
      state = 'left'
      for (;;) {
        if ((await calls.logOut(session, stored.refreshToken, server)) === 204) return true
        if (!retries) return false
        await pause(random.between(50, 300))
      }
    },
  }
}
