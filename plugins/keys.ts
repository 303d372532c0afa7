import fp from 'fastify-plugin'
import type { Secrets } from '../src/config/secrets.ts'
import { createEnvelope } from '../src/keys/envelope.ts'
import { createHmacVerifier } from '../src/keys/hmac-verifier.ts'
import type { JwtCodec } from '../src/keys/jwt.ts'
import { createJwtSigner } from '../src/keys/jwt-signer.ts'
import { createJwtVerifier } from '../src/keys/jwt-verifier.ts'
import { createKeyManager, type KeyManager } from '../src/keys/key-manager.ts'
import { importKey, type KeyMaterial } from '../src/keys/key-material.ts'
import { createKeyRecords } from '../src/keys/key-records.ts'
import { isSmallRsa, MIN_RSA_BITS, type SigningAlgorithm } from '../src/keys/signing-key.ts'
import { ACCESS_CLAIMS, ACCESS_TYP } from '../src/tokens/access-token.ts'
import { REFRESH_TYP, refreshAudience } from '../src/tokens/refresh-token.ts'

declare module 'fastify' {
  interface FastifyInstance {
    keys: KeyManager
    /** Returns the published keys, and for how many seconds a client may cache them. */
    keySet(): { keys: Record<string, string>[]; etag: string; maxAge: number }
  }
}

export interface KeysOptions extends Secrets {
  issuer: string
  audience: string
  accessTokenAlg: SigningAlgorithm
  /** Milliseconds, like all durations below. */
  accessTokenTtl: number
  sessionMaxTtl: number
  revocationMaxStaleness: number
  keyRotationAge: number | undefined
  keyPublicationDelay: number
}

/** The bounds of the time between two reads of the table of keys, in milliseconds. */
const SHORTEST_INTERVAL = 100
const LONGEST_INTERVAL = 1_000

/** Decorates the instance with `keys`, which signs and verifies tokens, and with `keySet`. */
export const keys = fp(
  async (app, options: KeysOptions) => {
    const { accessTokenAlg, keyRotationAge, keyPublicationDelay, revocationMaxStaleness } = options
    const manager = createKeyManager({
      records: createKeyRecords(app.database),
      envelope: createEnvelope(options.keyEncryptionSecret),
      policy: {
        accessTokenAlg,
        keyRotationAge,
        keyPublicationDelay,
        // Refresh tokens are verified after their expiry, too: a spent one is proof of theft for as
        // long as its session may live.
        tokenLife: { access: options.accessTokenTtl, refresh: options.sessionMaxTtl },
      },
      configuredKeys: {
        access: importKey('access', accessTokenAlg, options.accessTokenPrivateKey),
        refresh: importKey('refresh', 'HS256', options.refreshTokenSecret),
      },
      createJwt: (material) => createJwt(material, options),
      // A revoked key must be known on every node within the staleness bound.
      interval: Math.max(SHORTEST_INTERVAL, Math.min(LONGEST_INTERVAL, revocationMaxStaleness / 2)),
      log: app.log,
    })
    await manager.start()
    for (const { kid, ...jwk } of manager.keySet().keys)
      if (isSmallRsa(jwk))
        app.log.warn(
          { event: 'weak_key', kid },
          `an RSA key has less than ${MIN_RSA_BITS} bits: replace it with pawl keys rotate`,
        )
    app.addHook('onClose', manager.stop)
    app.decorate('keys', manager)
    // Half of the delay, so that a client that fetched the set just before a key was added fetches
    // it again before that key signs.
    const maxAge = Math.floor(keyPublicationDelay / 2_000)
    app.decorate('keySet', () => ({ ...manager.keySet(), maxAge }))
  },
  { name: 'pawl-keys', dependencies: ['pawl-database'] },
)

function createJwt(material: KeyMaterial, { issuer, audience }: KeysOptions): JwtCodec {
  switch (material.purpose) {
    case 'access': {
      const expected = { typ: ACCESS_TYP, issuer, audience, requiredClaims: ACCESS_CLAIMS }
      return {
        sign: createJwtSigner(material, ACCESS_TYP),
        verify: createJwtVerifier(material, expected),
      }
    }
    case 'refresh': {
      const expected = { typ: REFRESH_TYP, issuer, audience: refreshAudience(issuer) }
      return {
        sign: createJwtSigner(material, REFRESH_TYP),
        verify: createHmacVerifier(material, expected),
      }
    }
  }
}
