import { randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import type { GuessStore } from '../../../src/guesses/guess-store.ts'
import { createMemoryGuessStore } from '../../../src/guesses/memory-guess-store.ts'
import { createRedisGuessStore } from '../../../src/guesses/redis-guess-store.ts'
import { connectRedis, disconnectRedis } from '../../../src/redis/connect.ts'
import { cleanUp } from '../clean-up.ts'
import { required } from '../environment.ts'

export type CreateGuessStore = (t: TestContext, clock: () => number) => Promise<GuessStore>

/** Returns a factory of stores on the Redis of a URL, each under a prefix of its own. */
export const redisGuessStore =
  (url: () => string): CreateGuessStore =>
  async (t, clock) => {
    const redis = await connectRedis(url(), () => {})
    cleanUp(t, () => disconnectRedis(redis))
    const prefix = `test:${randomBytes(8).toString('hex')}:`
    return createRedisGuessStore(redis, { prefix, clock })
  }

/** Every implementation of the interface. They pass the same tests. */
export const GUESS_STORES = {
  memory: async (_t: TestContext, clock: () => number) => createMemoryGuessStore(clock),
  redis: redisGuessStore(() => required('TEST_REDIS_URL')),
} satisfies Record<string, CreateGuessStore>
