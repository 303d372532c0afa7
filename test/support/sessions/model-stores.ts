/** Real stores whose data for one user can be lost, and set back to an earlier state. */
import { randomBytes, randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import { watchClock } from '../../../src/common/clocks.ts'
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
  /** A later fail-over restores the state of this moment. */
  replicate(): Promise<void>
  failOver(): Promise<void>
  /** Restores the state that the store had at the last fail-over or return. */
  returnToFormer(): Promise<void>
  /** Sets the clock back, and lets the store read it. */
  setBack(ms: number): Promise<void>
}

const START = 1_800_000_000_000

export const FRAGILE_STORES = {
  /** Loses data by starting again and repeating the operations that are not lost. */
  memory:
    async (_t: TestContext) =>
    async (_userId: string): Promise<FragileStore> => {
      const clock = createClock(START)
      type Operation = { at: number; run(store: SessionStore): Promise<unknown> }
      let now = clock as () => number
      let store = fresh()
      let operations: Operation[] = []
      let replicated: Operation[] = []
      let former: Operation[] = []
      const setBacks: Operation[] = []

      function fresh(): SessionStore {
        return createMemoryStore(
          SETTINGS,
          watchClock(() => now()),
        )
      }

      function perform<T>(operation: (store: SessionStore) => Promise<T>): Promise<T> {
        operations.push({ at: clock(), run: operation })
        return operation(store)
      }

      async function startWith(kept: Operation[]): Promise<void> {
        now = () => kept[0]?.at ?? clock()
        ;[store, operations] = [fresh(), [...kept]]
        for (const operation of kept) {
          now = () => operation.at
          await operation.run(store)
        }
        now = clock
      }

      /** As a new server of the hot state begins an era. */
      async function replaceBy(kept: Operation[]): Promise<void> {
        former = operations
        // What the nodes know about the clock is not lost with the server.
        await startWith([...kept, ...setBacks.filter((one) => !kept.includes(one))])
        await perform((store) => store.forgetAll())
      }

      return {
        store: {
          open: (session) => perform((store) => store.open(session)),
          rotate: (...args) => perform((store) => store.rotate(...args)),
          close: (...args) => perform((store) => store.close(...args)),
          closeAll: (...args) => store.closeAll(...args),
          setAuthorization: (...args) => store.setAuthorization(...args),
          forgetAll: () => store.forgetAll(),
          find: (...args) => store.find(...args),
          ping: () => store.ping(),
        },
        clock,
        loseEverything: () => startWith([]),
        replicate: async () => {
          replicated = [...operations]
        },
        failOver: () => replaceBy(replicated),
        returnToFormer: () => replaceBy(former),
        setBack: async (ms) => {
          clock.advance(-ms)
          await perform((store) => readClock(store))
          setBacks.push(...operations.slice(-1))
        },
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
      let former: Buffer | null = null
      async function replaceBy(state: Buffer | null): Promise<void> {
        former = await redis.dumpBuffer(key)
        if (state) await redis.restore(key, 0, state, 'REPLACE')
        else await redis.del(key)
        await store.forgetAll()
      }
      return {
        store,
        clock,
        loseEverything: async () => {
          await redis.del(key)
        },
        replicate: async () => {
          replicated = await redis.dumpBuffer(key)
        },
        failOver: () => replaceBy(replicated),
        returnToFormer: () => replaceBy(former),
        setBack: async (ms) => {
          clock.advance(-ms)
          await readClock(store)
        },
      }
    }
  },
}

/** Lets a store read the clock. A node reads it all the time. */
function readClock(store: SessionStore): Promise<unknown> {
  return store.rotate(randomUUID(), randomUUID(), { generation: 1, retryKey: null })
}
