import fastifyJwt, { type JWT } from '@fastify/jwt'
import fp from 'fastify-plugin'
import type { RedisClient } from '../src/redis/client.ts'
import { ACCESS_CLAIMS, ACCESS_TYP, createAccessTokens } from '../src/tokens/access-token.ts'
import { createCheckpoints } from '../src/tokens/checkpoints.ts'
import { createEnding, type Ending } from '../src/tokens/ending.ts'
import { createHotState } from '../src/tokens/hot-state.ts'
import type { Jwt } from '../src/tokens/jwt.ts'
import { createRefreshTokens, REFRESH_CLAIMS, REFRESH_TYP } from '../src/tokens/refresh-token.ts'
import { createRevocationRecords, revocationOf } from '../src/tokens/revocation-records.ts'
import { createSessionRecords } from '../src/tokens/session-records.ts'
import { createSessionService, type SessionService } from '../src/tokens/session-service.ts'
import type { StoreSettings } from '../src/tokens/session-store.ts'
import { createSessionViews } from '../src/tokens/session-views.ts'
import { importSigningKey, type SigningAlgorithm, type SigningKey } from '../src/tokens/signing-key.ts'
import { createTokenService, type TokenService } from '../src/tokens/token-service.ts'

declare module 'fastify' {
  interface FastifyInstance {
    tokens: TokenService
    sessions: SessionService
    /** What is committed in Postgres as ended: close it, and tell every node. */
    finishEnding: Ending['finish']
    /** The public keys that access tokens are verified by (RFC 7517). */
    keySet: { keys: SigningKey['jwk'][] }
  }
}

export interface TokensOptions extends StoreSettings {
  issuer: string
  audience: string
  algorithm: SigningAlgorithm
  /** PKCS #8. */
  accessTokenKey: string
  refreshTokenSecret: string
  /** Milliseconds. */
  accessTtl: number
  maxTtl: number
  maxStaleness: number
  /** Where the hot state is; in this process unless given. */
  redis?: RedisClient | undefined
  /** For tests: in the stead of every other clock. */
  clock?: (() => number) | undefined
}

/** Decorates the instance with `tokens`, the token service, `sessions`, and `keySet`. */
export const tokens = fp(
  async (app, options: TokensOptions) => {
    const { issuer, audience, algorithm, accessTtl, maxTtl, maxStaleness, clock } = options
    const { record } = app.events
    const key = importSigningKey(options.accessTokenKey, algorithm)
    const refreshAudience = `${issuer}#refresh`

    await app.register(fastifyJwt, {
      namespace: 'access',
      secret: { private: key.privateKey, public: key.publicKey },
      sign: { algorithm, kid: key.kid, header: { alg: algorithm, typ: ACCESS_TYP } },
      verify: verifyOptions(algorithm, ACCESS_TYP, issuer, audience, ACCESS_CLAIMS),
    })
    await app.register(fastifyJwt, {
      namespace: 'refresh',
      secret: options.refreshTokenSecret,
      sign: { algorithm: 'HS256', header: { alg: 'HS256', typ: REFRESH_TYP } },
      verify: verifyOptions('HS256', REFRESH_TYP, issuer, refreshAudience, REFRESH_CLAIMS),
    })
    const jwt = app.jwt as unknown as Record<'access' | 'refresh', JWT>

    const records = createSessionRecords(app.database, (ended, reason) => {
      for (const session of ended) record({ type: 'session_ended', ...session, detail: { reason } })
    })
    const revocationRecords = createRevocationRecords(app.database)
    const checkpoints = createCheckpoints(records, app.log)
    const { store, feed, revocations, now } = createHotState({
      settings: options,
      redis: options.redis,
      recover: async (within) => (await revocationRecords.within(within)).map(revocationOf),
      accessTtl,
      maxStaleness,
      log: app.log,
      clock,
    })
    const ending = createEnding({ records, revocations: revocationRecords, store, feed, log: app.log })

    app.metrics.show(
      'revocation_lag_seconds',
      'How old the picture of what is revoked is: past REVOCATION_MAX_STALENESS the node answers 503',
      () => feed.age() / 1_000,
    )
    app.metrics.show('pawl_revocations', 'Revocations that this node remembers', revocations.size)

    await feed.start()
    checkpoints.start()
    ending.start()
    app.addHook('onClose', async () => {
      await feed.stop()
      await ending.stop()
      await checkpoints.stop()
    })
    const service = createTokenService({
      accessTokens: createAccessTokens(adapt(jwt.access), { issuer, audience, accessTtl }),
      refreshTokens: createRefreshTokens(adapt(jwt.refresh), { issuer, audience: refreshAudience }),
      store,
      records,
      checkpoints,
      ending,
      revocations,
      feed,
      maxStaleness,
      maxTtl,
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
        ending,
        idleTtl: options.idleTtl,
        clock: now,
      }),
    )
    app.decorate('finishEnding', ending.finish)
    app.decorate('keySet', { keys: [key.jwk] })
  },
  { name: 'pawl-tokens', dependencies: ['pawl-database', 'pawl-metrics', 'pawl-events'] },
)

/** Everything is pinned; only expiry is left to the domain, which judges it by its own clock. */
function verifyOptions(
  algorithm: SigningAlgorithm | 'HS256',
  typ: string,
  iss: string,
  aud: string,
  claims: string[],
) {
  return {
    algorithms: [algorithm],
    checkTyp: typ,
    allowedIss: iss,
    allowedAud: aud,
    requiredClaims: claims,
    ignoreExpiration: true,
  }
}

function adapt({ sign, verify }: JWT): Jwt {
  return { sign: (claims) => sign(claims), verify: (token) => verify(token) }
}
