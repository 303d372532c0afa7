import fp from 'fastify-plugin'
import { createHousekeeping } from '../src/common/housekeeping.ts'
import { permissionsOf, type RolePermissions } from '../src/config/permissions.ts'
import type { RedisClient } from '../src/redis/client.ts'
import { createRevocationRecords, revocationOf } from '../src/revocation/revocation-records.ts'
import type { Revocation } from '../src/revocation/revocations.ts'
import { createRevoker, type Revoker } from '../src/revocation/revoker.ts'
import { createCheckpoints } from '../src/sessions/checkpoints.ts'
import { createHotState } from '../src/sessions/hot-state.ts'
import { createRetention } from '../src/sessions/retention.ts'
import { createSessionRecords } from '../src/sessions/session-records.ts'
import { createSessionService, type SessionService } from '../src/sessions/session-service.ts'
import type { StoreSettings } from '../src/sessions/session-store.ts'
import { createSessionViews } from '../src/sessions/session-views.ts'
import { type AccessClaims, createAccessTokens } from '../src/tokens/access-token.ts'
import { createRefreshTokens, refreshAudience } from '../src/tokens/refresh-token.ts'
import { createTokenService, type TokenService } from '../src/tokens/token-service.ts'
import { createVerifiedTokens } from '../src/tokens/verified-tokens.ts'

declare module 'fastify' {
  interface FastifyInstance {
    tokens: TokenService
    sessions: SessionService
    revoker: Revoker
  }
}

export interface TokensOptions extends StoreSettings {
  issuer: string
  audience: string
  /** Milliseconds. */
  accessTokenTtl: number
  sessionMaxTtl: number
  revocationMaxStaleness: number
  rolePermissions: RolePermissions
  /** Whether access tokens carry the permissions of the user's roles. */
  tokenPermissions: boolean
  /** Where the hot state is; in this process unless given. */
  redis?: RedisClient | undefined
  /** For tests: in the stead of every other clock. */
  clock?: (() => number) | undefined
}

/** Decorates the instance with `tokens`, the token service, and `sessions`. */
export const tokens = fp(
  async (app, options: TokensOptions) => {
    const { issuer, audience, accessTokenTtl, sessionMaxTtl, revocationMaxStaleness, clock } =
      options
    const { rolePermissions, tokenPermissions } = options
    const { keys } = app
    const { record } = app.events

    const records = createSessionRecords(app.database, (ended, reason) => {
      for (const session of ended) record({ type: 'session_ended', ...session, detail: { reason } })
    })
    const revocationRecords = createRevocationRecords(app.database)
    const checkpoints = createCheckpoints(records, app.log)
    const { store, feed, revocations, now } = await createHotState({
      settings: options,
      redis: options.redis,
      recover: async (within) => [
        ...(await revocationRecords.findRecent(within)).map(revocationOf),
        ...keys.revokedKeyIds().map(revocationOfKey),
      ],
      onKeyRevoked: keys.markRevoked,
      accessTokenTtl,
      revocationMaxStaleness,
      log: app.log,
      clock,
    })
    const revoker = createRevoker({
      sessionRecords: records,
      revocationRecords,
      store,
      feed,
      log: app.log,
    })

    app.metrics.show(
      'revocation_lag_seconds',
      'How old the picture of what is revoked is: past REVOCATION_MAX_STALENESS the node answers 503',
      () => feed.age() / 1_000,
    )
    app.metrics.show('pawl_revocations', 'Revocations that this node remembers', revocations.size)

    const verified = createVerifiedTokens<AccessClaims>(accessTokenTtl, now, keys.accessVersion)
    app.metrics.show(
      'pawl_verified_tokens',
      'Access tokens that need no look at their signature',
      verified.size,
    )

    // A node that cannot read the table just now hears of it from those that can.
    keys.onRevoked((kids) => void feed.publish(kids.map(revocationOfKey)).catch(() => {}))
    await feed.start()
    const { deleteExpired, deleteRevocations } = createRetention(app.database)
    const keeping = createHousekeeping(
      [() => deleteExpired(sessionMaxTtl, now()), () => deleteRevocations(accessTokenTtl)],
      app.log,
    )
    for (const worker of [checkpoints, revoker, keeping]) worker.start()
    app.addHook('onClose', async () => {
      await feed.stop()
      await Promise.all([revoker.stop(), keeping.stop()])
      await checkpoints.stop()
    })
    const service = createTokenService({
      accessTokens: createAccessTokens(
        keys.access,
        {
          issuer,
          audience,
          accessTokenTtl,
          permissionsOf: tokenPermissions
            ? (roles) => permissionsOf(rolePermissions, roles)
            : undefined,
        },
        verified,
      ),
      refreshTokens: createRefreshTokens(keys.refresh, {
        issuer,
        audience: refreshAudience(issuer),
      }),
      store,
      records,
      checkpoints,
      revoker,
      revocations,
      feed,
      revocationMaxStaleness,
      sessionMaxTtl,
      onRefresh: app.metrics.refreshed,
      onEvent: record,
      clock: now,
      log: app.log,
    })
    app.decorate('tokens', service)
    app.decorate(
      'sessions',
      createSessionService({
        views: createSessionViews(app.database),
        revocations: revocationRecords,
        revoker,
        refreshIdleTtl: options.refreshIdleTtl,
        clock: now,
      }),
    )
    app.decorate('revoker', revoker)
  },
  {
    name: 'pawl-tokens',
    dependencies: ['pawl-database', 'pawl-keys', 'pawl-metrics', 'pawl-events'],
  },
)

function revocationOfKey(kid: string): Revocation {
  return { kind: 'key', kid }
}
