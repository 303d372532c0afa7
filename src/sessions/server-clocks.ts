import type { Redis } from 'ioredis'
import { createSharedClock, type SharedClock } from '../common/clocks.ts'
import type { RedisClient } from '../redis/client.ts'
import { masterOf } from '../redis/servers.ts'

/**
 * Returns a function that returns the clock of the server that holds a key. A single Redis has the
 * clock that all nodes share. The masters of a cluster have one each: their clocks differ, and the
 * difference is no sign that one of them was set back.
 */
export function createServerClocks(redis: RedisClient, sharedClock: SharedClock) {
  const clocks = new WeakMap<Redis, SharedClock>()
  return function clockOf(key: string): SharedClock {
    const server = masterOf(redis, key)
    if (!server || server === redis) return sharedClock
    const clock = clocks.get(server) ?? createSharedClock(sharedClock.now())
    clocks.set(server, clock)
    return clock
  }
}
