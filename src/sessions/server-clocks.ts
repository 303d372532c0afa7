import type { Redis } from 'ioredis'
import { createSharedClock, type SharedClock } from '../common/clocks.ts'
import type { RedisClient } from '../redis/client.ts'
import { masterOf } from '../redis/servers.ts'
import type { Era } from './redis-era.ts'

/** Milliseconds between two attempts to begin an era. */
const RETRY_INTERVAL = 1_000

/** The era that began because a clock was set back. Every session of an earlier one predates it. */
export interface ClockRenewal {
  /** 0 if the clock was never set back. */
  era: number
  /** When the era began, in milliseconds since 1970. */
  at: number
}

export interface ServerClock extends SharedClock {
  renewal(): ClockRenewal
  /**
   * Begins a new era if the clock was set back, for the server that holds `key`. Otherwise the
   * clock would reach the times of earlier rotations again, and they would look recent. If no era
   * can begin now, a later call tries again.
   */
  renew(key: string): Promise<void>
}

/**
 * Returns a function that returns the clock of the server that holds a key. A single Redis has the
 * clock that all nodes share. The masters of a cluster have one each: their clocks differ, and the
 * difference is no sign that one of them was set back.
 */
export function createServerClocks(
  redis: RedisClient,
  sharedClock: SharedClock,
  era: Pick<Era, 'begin' | 'current'>,
) {
  const clocks = new WeakMap<Redis, ServerClock>()
  const shared = createServerClock(sharedClock, era)
  return function clockOf(key: string): ServerClock {
    const server = masterOf(redis, key)
    if (!server || server === redis) return shared
    const clock = clocks.get(server) ?? createServerClock(createSharedClock(shared.now()), era)
    clocks.set(server, clock)
    return clock
  }
}

/** Creates the clock of one server. */
export function createServerClock(
  clock: SharedClock,
  era: Pick<Era, 'begin' | 'current'>,
): ServerClock {
  let renewal: ClockRenewal = { era: 0, at: 0 }
  let renewedFor = clock.timesSetBack()
  let retryAt = 0
  let inFlight: Promise<void> | undefined

  async function beginEra(key: string): Promise<void> {
    const times = clock.timesSetBack()
    await era.begin()
    renewal = { era: era.current(key), at: clock.now() }
    renewedFor = times
  }

  return {
    ...clock,
    renewal: () => renewal,
    async renew(key) {
      clock.now()
      if (clock.timesSetBack() === renewedFor) return
      if (!inFlight && performance.now() >= retryAt)
        inFlight = beginEra(key)
          .catch(() => {
            retryAt = performance.now() + RETRY_INTERVAL
          })
          .finally(() => {
            inFlight = undefined
          })
      await inFlight
    },
  }
}
