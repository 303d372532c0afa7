/** Real stores whose memory can be lost and set back, for one user. */
import { randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import { connectRedis, disconnectRedis } from '../../../src/redis/connect.ts'
import { createMemoryStore } from '../../../src/sessions/memory-store.ts'
import { createRedisStore } from '../../../src/sessions/redis-store.ts'
import type { SessionStore } from '../../../src/sessions/session-store.ts'
import { cleanUp } from '../clean-up.ts'
import { createClock, type TestClock } from '../clock.ts'
import { required } from '../environment.ts'
import { ONE_ERA, SETTINGS } from './stores.ts'

export interface FragileStore {
  store: SessionStore
  clock: TestClock
  loseEverything(): Promise<void>
  /** From here on a fail-over comes back to this moment. */
  replicate(): Promise<void>
  failOver(): Promise<void>
}

const START = 1_800_000_000_000

export const FRAGILE_STORES = {
  /** What it forgets it is made to forget by starting anew, and doing again what is to be remembered. */
  memory:
    async (_t: TestContext) =>
    async (_userId: string): Promise<FragileStore> => {
      const clock = createClock(START)
      type Deed = { at: number; do(store: SessionStore): Promise<unknown> }
      let now = clock as () => number
      let [store, deeds, replicated]: [SessionStore, Deed[], Deed[]] = [fresh(), [], []]

      function fresh(): SessionStore {
        return createMemoryStore(SETTINGS, () => now())
      }

      function done<T>(deed: (store: SessionStore) => Promise<T>): Promise<T> {
        deeds.push({ at: clock(), do: deed })
        return deed(store)
      }

      async function startWith(remembered: Deed[]): Promise<void> {
        ;[store, deeds] = [fresh(), [...remembered]]
        for (const deed of remembered) {
          now = () => deed.at
          await deed.do(store)
        }
        now = clock
      }

      return {
        store: {
          open: (session) => done((store) => store.open(session)),
          rotate: (...args) => done((store) => store.rotate(...args)),
          close: (...args) => done((store) => store.close(...args)),
          closeAll: (...args) => store.closeAll(...args),
          setAuthorization: (...args) => store.setAuthorization(...args),
          forgetAll: () => store.forgetAll(),
          find: (...args) => store.find(...args),
          ping: () => store.ping(),
        },
        clock,
        loseEverything: () => startWith([]),
        replicate: async () => {
          replicated = [...deeds]
        },
        failOver: () => startWith(replicated),
      }
    },

  redis: async (t: TestContext) => {
    const redis = await connectRedis(required('TEST_REDIS_URL'), () => {})
    cleanUp(t, () => disconnectRedis(redis))
    const prefix = `test:${randomBytes(8).toString('hex')}:`
    const clock = createClock(START)
    const store = createRedisStore(redis, SETTINGS, { prefix, clock, ...ONE_ERA })
    return async (userId: string): Promise<FragileStore> => {
      const key = `${prefix}{${userId}}`
      let replicated: Buffer | null = null
      return {
        store,
        clock,
        loseEverything: async () => {
          await redis.del(key)
        },
        replicate: async () => {
          replicated = await redis.dumpBuffer(key)
        },
        failOver: async () => {
          if (replicated) await redis.restore(key, 0, replicated, 'REPLACE')
          else await redis.del(key)
        },
      }
    }
  },
}
