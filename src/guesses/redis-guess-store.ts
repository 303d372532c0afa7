import { type AwaitReply, awaitReply as plainAwaitReply } from '../redis/await-reply.ts'
import type { RedisClient } from '../redis/client.ts'
import { createScript } from '../redis/script.ts'
import type { GuessReservation, GuessStore } from './guess-store.ts'

export interface RedisGuessStoreOptions {
  /** Counts failures, if it is given. */
  awaitReply?: AwaitReply
  /** The beginning of every key. Several installations on one Redis have different ones. */
  prefix?: string
  /**
   * For tests: returns milliseconds since 1970. By default the scripts use the time of the Redis
   * server, so that nodes need not agree on theirs.
   */
  clock?: (() => number) | undefined
}

type ReserveReply = ['reserved'] | ['refused', name: string, wait: number]

/**
 * Creates a store in Redis, which all nodes share. Every operation is one script on one key, in a
 * cluster too. Keys expire when their guesses are forgotten.
 */
export function createRedisGuessStore(
  redis: RedisClient,
  options: RedisGuessStoreOptions = {},
): GuessStore {
  const { awaitReply = plainAwaitReply, prefix = 'pawl:', clock } = options
  const reserve = createScript(redis, new URL('./lua/reserve.lua', import.meta.url))
  const settle = createScript(redis, new URL('./lua/settle.lua', import.meta.url))
  const keyOf = (key: string) => `${prefix}guesses:{${key}}`

  return {
    async reserve(key, tallies): Promise<GuessReservation> {
      const args = tallies.flatMap(({ name, rule: { limit, memory, free, longestPause } }) => [
        name,
        limit,
        memory,
        free,
        longestPause,
      ])
      const reply = await awaitReply(reserve<ReserveReply>(keyOf(key), clock?.() ?? '', ...args))
      const [outcome, name = '', wait = 0] = reply
      return outcome === 'reserved' ? { outcome } : { outcome, name, wait }
    },

    async settle(key, names, settlement) {
      await awaitReply(settle<number>(keyOf(key), settlement, ...names))
    },

    async forget(key) {
      await awaitReply(redis.del(keyOf(key)))
    },
  }
}
