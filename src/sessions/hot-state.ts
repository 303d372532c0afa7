import { createSharedClock, createSteadyClock } from '../common/clocks.ts'
import type { Log } from '../common/log.ts'
import type { RedisClient } from '../redis/client.ts'
import {
  createLocalFeed,
  type Recover,
  type RevocationFeed,
} from '../revocation/revocation-feed.ts'
import { createRevocations, type Revocations } from '../revocation/revocations.ts'
import { createMemoryStore } from './memory-store.ts'
import type { SessionStore, StoreSettings } from './session-store.ts'

export interface HotStateOptions {
  settings: StoreSettings
  /** Where it is; in this process unless given. */
  redis?: RedisClient | undefined
  recover: Recover
  /** Hears of keys that are retired at once. */
  onKeyRevoked: (kid: string) => void
  /** The longest life of an access token, in milliseconds. */
  accessTokenTtl: number
  /** Milliseconds that this node may be behind the revocations before it stops answering. */
  revocationMaxStaleness: number
  log: Log
  /** For tests: milliseconds since the epoch, in the stead of every other clock. */
  clock?: (() => number) | undefined
}

export interface HotState {
  store: SessionStore
  feed: RevocationFeed
  revocations: Revocations
  /** The time that all nodes go by, whatever the clock of each: milliseconds since the epoch. */
  now: () => number
}

/** Milliseconds that a revocation is remembered beyond the life of the tokens that it kills: servers' clocks differ. */
const LEEWAY = 60_000

/** Everything about sessions that may be lost at any time: in Redis, or in the one process of the embedded default. */
export async function createHotState({
  redis,
  settings,
  recover,
  onKeyRevoked,
  accessTokenTtl,
  clock,
  ...rest
}: HotStateOptions): Promise<HotState> {
  const lifetime = accessTokenTtl + LEEWAY
  if (!redis) {
    const now = clock ?? createSteadyClock()
    const revocations = createRevocations(lifetime, now, onKeyRevoked)
    return {
      store: createMemoryStore(settings, now),
      feed: createLocalFeed(revocations, () => recover(lifetime)),
      revocations,
      now,
    }
  }
  // What needs the client of Redis is loaded only where there is one.
  const [{ createEra }, { createRedisFeed }, { createRedisStore }] = await Promise.all([
    import('./redis-era.ts'),
    import('../revocation/redis-feed.ts'),
    import('./redis-store.ts'),
  ])
  const era = createEra(redis)
  const serverClock = createSharedClock()
  const now = clock ?? serverClock.now
  // By the clock that expiry is judged by: an entry outlives the tokens that it is about, however that clock is set.
  const revocations = createRevocations(lifetime, now, onKeyRevoked)
  return {
    store: createRedisStore(redis, settings, { era, serverClock, clock }),
    feed: createRedisFeed({
      redis,
      era,
      serverClock,
      known: revocations,
      recover,
      lifetime,
      ...rest,
    }),
    revocations,
    now,
  }
}
