import { createVerifier } from 'fast-jwt'
import type { KeyMaterial } from './key-material.ts'

/** What a token must say to be accepted. */
export interface ExpectedToken {
  typ: string
  issuer: string
  audience: string
  /** Claims without which a token is refused. */
  requiredClaims: string[]
}

/**
 * Creates a verifier of JWTs signed with one key pair. Algorithm, `typ`, `iss` and `aud` are
 * pinned, so that a token has no influence on how it is verified (RFC 8725 3.1). Expiry is left to
 * the caller, who has a clock that all nodes share. The verifier throws if anything is wrong.
 *
 * It has no cache: a token is verified once and then remembered with its claims, elsewhere.
 */
export function createJwtVerifier(
  { algorithm, verifyingKey }: KeyMaterial,
  { typ, issuer, audience, requiredClaims }: ExpectedToken,
): (token: string) => unknown {
  return createVerifier({
    key: verifyingKey,
    algorithms: [algorithm],
    checkTyp: typ,
    allowedIss: issuer,
    allowedAud: audience,
    requiredClaims,
    ignoreExpiration: true,
  })
}
