import { randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import { createSharedClock, watchClock } from '../../../src/common/clocks.ts'
import { connectRedis, disconnectRedis } from '../../../src/redis/connect.ts'
import { createMemoryStore } from '../../../src/sessions/memory-store.ts'
import { createRedisStore } from '../../../src/sessions/redis-store.ts'
import type { SessionStore, StoreSettings } from '../../../src/sessions/session-store.ts'
import { createSnapshots } from '../../../src/sessions/snapshots.ts'
import { cleanUp } from '../clean-up.ts'
import { required } from '../environment.ts'

export const SETTINGS: StoreSettings = {
  grace: 30_000,
  refreshIdleTtl: 3_600_000,
  maxSessionsPerUser: 3,
}

/** What authenticates the snapshots of a store that has no Postgres behind it. */
const SNAPSHOTS = {
  snapshots: createSnapshots('a secret of tests'),
  readAuthorization: async () => undefined,
}

/** The era and the clock of a Redis that is never replaced. */
export const ONE_ERA = { era: createTestEra(), serverClock: createSharedClock(), ...SNAPSHOTS }

function createTestEra() {
  let era = 1
  return {
    current: () => era,
    isKnown: () => true,
    begin: async () => {
      era++
    },
  }
}

export type CreateStore = (
  t: TestContext,
  clock: () => number,
  settings?: StoreSettings,
) => Promise<SessionStore>

/** Returns a factory of stores on the Redis of a URL, each under a prefix of its own. */
export const redisStore =
  (url: () => string): CreateStore =>
  async (t, clock, settings = SETTINGS) => {
    const redis = await connectRedis(url(), () => {})
    const prefix = `test:${randomBytes(8).toString('hex')}:`
    cleanUp(t, () => disconnectRedis(redis))
    return createRedisStore(redis, settings, { prefix, clock, ...ONE_ERA })
  }

/** Every implementation of the interface. They pass the same tests. */
export const STORES = {
  memory: async (_t: TestContext, clock: () => number, settings = SETTINGS) =>
    createMemoryStore(settings, watchClock(clock)),
  redis: redisStore(() => required('TEST_REDIS_URL')),
} satisfies Record<string, CreateStore>
