import fp from 'fastify-plugin'
import { permissionsOf, type RolePermissions } from '../src/config/permissions.ts'
import { createCheckpointRecords } from '../src/sessions/checkpoint-records.ts'
import { createCheckpoints } from '../src/sessions/checkpoints.ts'
import { createLostSessionRecords } from '../src/sessions/lost-session-records.ts'
import { createLostSessions } from '../src/sessions/lost-sessions.ts'
import {
  type AccessClaims,
  type AccessTokens,
  createAccessTokens,
} from '../src/tokens/access-token.ts'
import {
  type AddedClaims,
  type ClaimsCallback,
  createAddedClaims,
} from '../src/tokens/added-claims.ts'
import {
  createRefreshTokens,
  type RefreshTokens,
  refreshAudience,
} from '../src/tokens/refresh-token.ts'
import { createTokenService, type TokenService } from '../src/tokens/token-service.ts'
import { createVerifiedTokens } from '../src/tokens/verified-tokens.ts'

declare module 'fastify' {
  interface FastifyInstance {
    accessTokens: AccessTokens
    refreshTokens: RefreshTokens
    tokens: TokenService
    /** Asks the application what to add to an access token. Undefined if it adds nothing. */
    addedClaims: AddedClaims | undefined
  }
}

export interface TokensOptions {
  issuer: string
  audience: string
  /** Milliseconds. */
  accessTokenTtl: number
  /** Milliseconds. */
  revocationMaxStaleness: number
  /** What each role allows. */
  rolePermissions: RolePermissions
  /** Whether access tokens carry the permissions of their roles. */
  tokenPermissions: boolean
  /** What the application adds to access tokens. */
  claims?: ClaimsCallback | undefined
}

/**
 * Decorates the instance with `accessTokens` and `refreshTokens`, which issue and read tokens, and
 * with `tokens`, the token service.
 */
export const tokens = fp(
  async (app, options: TokensOptions) => {
    const { keys, sessionRecords: records, revoker, sessionCap: cap, metrics, log } = app
    const { store, feed, revocations, now: clock } = app.hotState
    const { issuer, audience, accessTokenTtl, revocationMaxStaleness } = options
    const { rolePermissions, tokenPermissions } = options

    const verified = createVerifiedTokens<AccessClaims>({
      life: accessTokenTtl,
      clock,
      version: keys.accessVersion,
      isLive: (claims) => clock() < claims.exp * 1000 && !revocations.denies(claims),
    })
    metrics.gauge(
      'pawl_verified_tokens',
      'Access tokens whose signature need not be verified again',
      verified.size,
    )
    const accessTokens = createAccessTokens(
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
    )
    const refreshTokens = createRefreshTokens(keys.refresh, {
      issuer,
      audience: refreshAudience(issuer),
    })

    const lostSessions = createLostSessions({
      records: createLostSessionRecords(app.database),
      store,
      revoker,
      isRevoked: revocations.isSessionRevoked,
      log,
    })
    const checkpoints = createCheckpoints(createCheckpointRecords(app.database), lostSessions, log)
    checkpoints.start()
    app.addHook('onClose', checkpoints.stop)
    app.decorate('accessTokens', accessTokens)
    app.decorate('refreshTokens', refreshTokens)
    const addedClaims = options.claims && createAddedClaims(options.claims)
    app.decorate('addedClaims', addedClaims)
    app.decorate(
      'tokens',
      createTokenService({
        accessTokens,
        refreshTokens,
        store,
        records,
        checkpoints,
        revoker,
        cap,
        revocations,
        feed,
        addedClaims,
        revocationMaxStaleness,
        onRefresh: metrics.countRefresh,
        onEvent: app.events.record,
        clock,
        log,
      }),
    )
  },
  { name: 'pawl-tokens', dependencies: ['pawl-hot-state'] },
)
