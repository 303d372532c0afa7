import fastifyJwt from '@fastify/jwt'
import Fastify from 'fastify'
import fp from 'fastify-plugin'
import type { Secrets } from '../src/config/secrets.ts'
import { createEnvelope } from '../src/keys/envelope.ts'
import { createHmacVerifier } from '../src/keys/hmac-verifier.ts'
import type { Jwt } from '../src/keys/jwt.ts'
import { createJwtSigner } from '../src/keys/jwt-signer.ts'
import { createKeyKeeper, type KeyKeeper } from '../src/keys/key-manager.ts'
import { importKey, type KeyMaterial } from '../src/keys/key-material.ts'
import { createKeyRecords } from '../src/keys/key-records.ts'
import type { SigningAlgorithm } from '../src/keys/signing-key.ts'
import { ACCESS_CLAIMS, ACCESS_TYP } from '../src/tokens/access-token.ts'
import { REFRESH_TYP, refreshAudience } from '../src/tokens/refresh-token.ts'

declare module 'fastify' {
  interface FastifyInstance {
    keys: KeyKeeper
    /** For the routes: what is published of the keys, and for how many seconds it may be kept. */
    keySet(): { keys: Record<string, string>[]; etag: string; maxAge: number }
  }
}

export interface KeysOptions extends Secrets {
  issuer: string
  audience: string
  algorithm: SigningAlgorithm
  /** Milliseconds, as below. */
  accessTokenTtl: number
  sessionMaxTtl: number
  revocationMaxStaleness: number
  keyRotationAge: number | undefined
  keyPublicationDelay: number
}

/** Milliseconds between two looks at the table of keys: at most, and at least. */
const LONGEST_INTERVAL = 1_000
const SHORTEST_INTERVAL = 100

/** Decorates the instance with `keys`, what tokens are signed and verified with, and `keySet`. */
export const keys = fp(
  async (app, options: KeysOptions) => {
    const {
      algorithm,
      accessTokenTtl,
      sessionMaxTtl,
      revocationMaxStaleness,
      keyRotationAge,
      keyPublicationDelay,
    } = options
    const keeper = createKeyKeeper({
      records: createKeyRecords(app.database),
      envelope: createEnvelope(options.keyEncryptionSecret),
      // A refresh token is looked at after its expiry, too: while its session may live, a spent one is proof of theft.
      policy: {
        algorithm,
        keyRotationAge,
        keyPublicationDelay,
        tokenLife: { access: accessTokenTtl, refresh: sessionMaxTtl },
      },
      given: {
        access: importKey('access', algorithm, options.accessTokenPrivateKey),
        refresh: importKey('refresh', 'HS256', options.refreshTokenSecret),
      },
      createJwt: (material) => createJwt(material, options),
      // A key that is retired at once has to be known as such within the bound.
      interval: Math.max(SHORTEST_INTERVAL, Math.min(LONGEST_INTERVAL, revocationMaxStaleness / 2)),
      log: app.log,
    })
    await keeper.start()
    app.addHook('onClose', keeper.stop)
    app.decorate('keys', keeper)
    // Half of the delay: who fetched the set just before a key came to it has it in time.
    const maxAge = Math.floor(keyPublicationDelay / 2_000)
    app.decorate('keySet', () => ({ ...keeper.keySet(), maxAge }))
  },
  { name: 'pawl-keys', dependencies: ['pawl-database'] },
)

/**
 * One key's signer and verifier. Everything is pinned; only expiry is left to the domain, which judges it by its own clock.
 *
 * @fastify/jwt has one static key per registration. A key for a single call is possible, but then it makes a signer or a
 * verifier for that call, parsing the key each time; and nothing can be registered on an application that has started. So
 * each access key gets an application of its own, which never listens, and is forgotten with the key.
 */
async function createJwt(material: KeyMaterial, { issuer, audience }: KeysOptions): Promise<Jwt> {
  const { purpose, algorithm, signingKey, verifyingKey } = material
  if (purpose === 'refresh') {
    const expected = { typ: REFRESH_TYP, issuer, audience: refreshAudience(issuer) }
    return {
      sign: createJwtSigner(material, REFRESH_TYP),
      verify: createHmacVerifier(material, expected),
    }
  }
  const host = Fastify()
  await host.register(fastifyJwt, {
    secret: { private: signingKey, public: verifyingKey },
    verify: {
      algorithms: [algorithm],
      checkTyp: ACCESS_TYP,
      allowedIss: issuer,
      allowedAud: audience,
      requiredClaims: ACCESS_CLAIMS,
      ignoreExpiration: true,
    },
  })
  await host.ready()
  const { verify } = host.jwt
  return { sign: createJwtSigner(material, ACCESS_TYP), verify: (token) => verify(token) }
}
