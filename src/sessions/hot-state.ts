import { createMachineClock, createSharedClock, watchClock } from '../common/clocks.ts'
import type { Log } from '../common/log.ts'
import { createAwaitReply, type RedisErrorKind } from '../redis/await-reply.ts'
import type { RedisClient } from '../redis/client.ts'
import {
  createLocalFeed,
  type Recover,
  type RevocationFeed,
} from '../revocation/revocation-feed.ts'
import { createRevocations, type Revocations } from '../revocation/revocations.ts'
import type { EraRecords } from './era-records.ts'
import { createMemoryStore } from './memory-store.ts'
import type { RedisStoreOptions } from './redis-store.ts'
import type { SessionStore, StoreSettings } from './session-store.ts'

export interface HotStateOptions {
  settings: StoreSettings
  /** The hot state is in this process if no client is given. */
  redis?: RedisClient | undefined
  recover: Recover
  /** Remembers the highest era of Redis. */
  eras: EraRecords
  /** Called with the id of each key that is revoked. */
  onKeyRevoked: (kid: string) => void
  /** Returns the longest life of an access token that may still be valid, in milliseconds. */
  longestTokenLife: () => number
  /** Milliseconds that this node may be behind the revocations before it responds with 503. */
  revocationMaxStaleness: number
  /** What authenticates the snapshots in Redis, and what replaces those that it rejects. */
  snapshots: Pick<RedisStoreOptions, 'snapshots' | 'readAuthorization' | 'onForgedSnapshot'>
  /** Called for each failure of a command of Redis. */
  onRedisError: (kind: RedisErrorKind) => void
  log: Log
  /** For tests: replaces every other clock. Returns milliseconds since 1970. */
  clock?: (() => number) | undefined
}

export interface HotState {
  store: SessionStore
  feed: RevocationFeed
  revocations: Revocations
  /** Returns the milliseconds for which a revocation matters. */
  lifetime: () => number
  /** Returns the time that all nodes share, not that of this node, in milliseconds since 1970. */
  now: () => number
}

/**
 * Milliseconds for which a revocation is remembered after the last token that it concerns has
 * expired, because the clocks of servers differ.
 */
const LEEWAY = 60_000

/**
 * Creates everything about sessions that may be lost at any time, either in Redis or, for the
 * embedded default, in the only process.
 */
export async function createHotState({
  redis,
  settings,
  recover,
  onKeyRevoked,
  eras,
  longestTokenLife,
  snapshots,
  onRedisError,
  clock,
  ...rest
}: HotStateOptions): Promise<HotState> {
  const lifetime = () => longestTokenLife() + LEEWAY
  if (!redis) {
    const machineClock = clock ? watchClock(clock) : createMachineClock()
    const { now, keepingTime, lag } = machineClock
    const revocations = createRevocations(lifetime, keepingTime, onKeyRevoked, lag)
    return {
      store: createMemoryStore(settings, machineClock),
      feed: createLocalFeed(revocations, () => recover(lifetime())),
      revocations,
      lifetime,
      now,
    }
  }
  // Imported here, so that the embedded default does not load the client of Redis.
  const [{ createEra }, { createRedisFeed }, { createRedisStore }] = await Promise.all([
    import('./redis-era.ts'),
    import('../revocation/redis-feed.ts'),
    import('./redis-store.ts'),
  ])
  const awaitReply = createAwaitReply(onRedisError)
  const era = createEra({ redis, awaitReply, records: eras, log: rest.log })
  const serverClock = clock ? watchClock(clock) : createSharedClock()
  const { now, keepingTime, lag } = serverClock
  // Revocations outlive the tokens that they concern, even if the clock that tokens expire by jumps
  // ahead or is set back.
  const revocations = createRevocations(lifetime, keepingTime, onKeyRevoked, lag)
  return {
    store: createRedisStore(redis, settings, {
      ...snapshots,
      isOutdated: revocations.isVersionRevoked,
      era,
      serverClock,
      awaitReply,
      clock,
    }),
    feed: createRedisFeed({
      redis,
      era,
      awaitReply,
      serverClock,
      known: revocations,
      recover,
      lifetime,
      ...rest,
    }),
    revocations,
    lifetime,
    now,
  }
}
