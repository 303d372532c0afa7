import fp from 'fastify-plugin'
import type { RedisClient } from '../src/redis/client.ts'
import { createRevocationRecords, revocationOf } from '../src/revocation/revocation-records.ts'
import type { Revocation } from '../src/revocation/revocations.ts'
import { createRevoker, type Revoker } from '../src/revocation/revoker.ts'
import { createEraRecords } from '../src/sessions/era-records.ts'
import { createHotState, type HotState } from '../src/sessions/hot-state.ts'
import { createSessionCap, type SessionCap } from '../src/sessions/session-cap.ts'
import { createSessionRecords, type SessionRecords } from '../src/sessions/session-records.ts'
import type { StoreSettings } from '../src/sessions/session-store.ts'
import { createSnapshots } from '../src/sessions/snapshots.ts'
import { createUserChangeRecords } from '../src/users/user-change-records.ts'
import { createUserRecords } from '../src/users/user-records.ts'

declare module 'fastify' {
  interface FastifyInstance {
    sessionRecords: SessionRecords
    hotState: HotState
    revoker: Revoker
    sessionCap: SessionCap
  }
}

export interface HotStateOptions extends StoreSettings {
  /** Milliseconds. */
  accessTokenTtl: number
  /** Milliseconds. */
  revocationMaxStaleness: number
  /** The key of the MACs is derived from it. */
  keyEncryptionSecret: string
  /** The hot state is in this process if no client is given. */
  redis?: RedisClient | undefined
  /** For tests: replaces every other clock. */
  clock?: (() => number) | undefined
}

/**
 * Decorates the instance with `sessionRecords`, the sessions in Postgres, with `hotState`, the
 * sessions and revocations in Redis or in this process, with `revoker`, which revokes sessions in
 * both, and with `sessionCap`, which limits the number of sessions of a user.
 */
export const hotState = fp(
  async (app, options: HotStateOptions) => {
    const { database, keys, events, metrics, log } = app
    const { redis, accessTokenTtl, revocationMaxStaleness, clock } = options
    const sessionRecords = createSessionRecords(database, (sessions, reason) => {
      for (const session of sessions)
        events.record({ type: 'session_ended', ...session, detail: { reason } })
    })
    const revocationRecords = createRevocationRecords(database)
    const userRecords = createUserRecords(database)
    const countForged = metrics.counter(
      'pawl_snapshots_forged_total',
      'Snapshots of roles in Redis that were not made under KEY_ENCRYPTION_SECRET',
      'store',
    )
    const state = await createHotState({
      settings: options,
      redis,
      async *recover(within) {
        yield keys.revokedKeyIds().map((kid) => ({ revocation: revocationOfKey(kid), age: 0 }))
        for await (const recent of revocationRecords.findRecent(within))
          yield recent.map(({ revocation, age }) => ({ revocation: revocationOf(revocation), age }))
      },
      onKeyRevoked: keys.markRevoked,
      eras: createEraRecords(database),
      // A key may have signed tokens under a longer ACCESS_TOKEN_TTL, on this node or on another.
      longestTokenLife: () => Math.max(accessTokenTtl, keys.longestTokenLife()),
      revocationMaxStaleness,
      snapshots: {
        snapshots: createSnapshots(options.keyEncryptionSecret),
        async readAuthorization(userId) {
          const user = await userRecords.findById(userId)
          return user?.status === 'active' ? { ver: user.ver, roles: user.roles } : undefined
        },
        onForgedSnapshot(userId) {
          countForged('redis')
          log.warn(
            { event: 'snapshot_forged', userId },
            'Redis had roles that Pawl did not write: those in Postgres count',
          )
        },
      },
      onRedisError: metrics.counter(
        'pawl_redis_errors_total',
        'Failed Redis commands by kind: unavailable, refused, full, script',
        'kind',
      ),
      log,
      clock,
    })
    const { store, feed, revocations } = state
    const countConflict = metrics.counter(
      'pawl_versions_conflicting_total',
      'Users whose version in Redis was one that Postgres had not given out',
      'store',
    )
    const revoker = createRevoker({
      sessionRecords,
      revocationRecords,
      userRecords: createUserChangeRecords(database),
      store,
      feed,
      onConflict(userId, detail) {
        countConflict('redis')
        events.record({ type: 'version_conflict', userId, detail })
      },
      log,
    })

    metrics.gauge(
      'revocation_lag_seconds',
      'Age of the known revocations; above REVOCATION_MAX_STALENESS the node responds with 503',
      () => feed.age() / 1_000,
    )
    metrics.gauge('pawl_revocations', 'Revocations that this node remembers', revocations.size)

    // A node that cannot read the table of keys right now learns of it from the nodes that can.
    keys.onRevoked((kids) => void feed.publish(kids.map(revocationOfKey)).catch(() => {}))
    await feed.start()
    revoker.start()
    app.addHook('onClose', async () => {
      await feed.stop()
      await revoker.stop()
    })
    app.decorate('sessionRecords', sessionRecords)
    app.decorate('hotState', state)
    app.decorate('revoker', revoker)
    const cap = { records: sessionRecords, revoker, clock: state.now, log }
    app.decorate('sessionCap', createSessionCap({ ...options, ...cap }))
  },
  {
    name: 'pawl-hot-state',
    dependencies: ['pawl-database', 'pawl-keys', 'pawl-metrics', 'pawl-events'],
  },
)

function revocationOfKey(kid: string): Revocation {
  return { kind: 'key', kid }
}
