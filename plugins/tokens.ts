import fp from 'fastify-plugin'
import type { RedisClient } from '../src/redis/client.ts'
import { createAccessTokens } from '../src/tokens/access-token.ts'
import { createCheckpoints } from '../src/tokens/checkpoints.ts'
import { createEnding } from '../src/tokens/ending.ts'
import { createMemoryStore } from '../src/tokens/memory-store.ts'
import { createRecovery } from '../src/tokens/recovery.ts'
import { createRedisFeed } from '../src/tokens/redis-feed.ts'
import { createRedisStore } from '../src/tokens/redis-store.ts'
import { createRefreshTokens, refreshAudience } from '../src/tokens/refresh-token.ts'
import { createLocalFeed } from '../src/tokens/revocation-feed.ts'
import { createRevocations, type Revocation } from '../src/tokens/revocations.ts'
import { createSessionRecords } from '../src/tokens/session-records.ts'
import type { StoreSettings } from '../src/tokens/session-store.ts'
import { createTokenService, type TokenService } from '../src/tokens/token-service.ts'

declare module 'fastify' {
  interface FastifyInstance {
    tokens: TokenService
  }
}

export interface TokensOptions extends StoreSettings {
  issuer: string
  audience: string
  /** Milliseconds. */
  accessTtl: number
  maxTtl: number
  maxStaleness: number
  /** Where the hot state is; in this process unless given. */
  redis?: RedisClient | undefined
  /** For tests; the system's clock, and that of Redis, unless given. */
  clock?: (() => number) | undefined
}

/** Milliseconds that a revocation is remembered beyond the life of the tokens that it kills: clocks differ. */
const LEEWAY = 60_000

/** Decorates the instance with `tokens`, the token service. */
export const tokens = fp(
  async (app, options: TokensOptions) => {
    const { issuer, audience, accessTtl, maxTtl, maxStaleness, clock } = options
    const { keys } = app

    const now = clock ?? Date.now
    const store = options.redis
      ? createRedisStore(options.redis, options, clock ? { clock } : {})
      : createMemoryStore(options, now)
    const records = createSessionRecords(app.database)
    const checkpoints = createCheckpoints(records, app.log)
    const lifetime = accessTtl + LEEWAY
    const revocations = createRevocations(lifetime, () => performance.now(), keys.drop)
    const { recover: recoverSessions, stop } = createRecovery(records, store, lifetime)
    const recover = async () => [...(await recoverSessions()), ...keys.revoked().map(revocationOfKey)]
    const feed = options.redis
      ? createRedisFeed({
          redis: options.redis,
          known: revocations,
          recover,
          lifetime,
          maxStaleness,
          log: app.log,
        })
      : createLocalFeed(revocations, recover)
    const ending = createEnding({ records, store, feed, log: app.log })

    app.metrics.show(
      'revocation_lag_seconds',
      'How old the picture of what is revoked is: past REVOCATION_MAX_STALENESS the node answers 503',
      () => feed.age() / 1_000,
    )
    app.metrics.show('pawl_revocations', 'Revocations that this node remembers', revocations.size)

    // A node that cannot read the table just now hears of it from those that can.
    keys.onRevoked((kids) => void feed.publish(kids.map(revocationOfKey)).catch(() => {}))
    await feed.start()
    checkpoints.start()
    ending.start()
    app.addHook('onClose', async () => {
      await feed.stop()
      stop()
      await ending.stop()
      await checkpoints.stop()
    })
    const service = createTokenService({
      accessTokens: createAccessTokens(keys.access, { issuer, audience, accessTtl }),
      refreshTokens: createRefreshTokens(keys.refresh, { issuer, audience: refreshAudience(issuer) }),
      store,
      records,
      checkpoints,
      ending,
      revocations,
      feed,
      maxStaleness,
      maxTtl,
      onRefresh: app.metrics.refreshed,
      clock: now,
      log: app.log,
    })
    app.decorate('tokens', service)
  },
  { name: 'pawl-tokens', dependencies: ['pawl-database', 'pawl-keys', 'pawl-metrics'] },
)

function revocationOfKey(kid: string): Revocation {
  return { kind: 'key', kid }
}
