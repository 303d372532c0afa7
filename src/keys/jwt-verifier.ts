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
 * A token has exactly one accepted spelling, so that one token cannot fill the cache many times.
 *
 * It has no cache: a token is verified once and then remembered with its claims, elsewhere.
 */
export function createJwtVerifier(
  { algorithm, verifyingKey }: KeyMaterial,
  { typ, issuer, audience, requiredClaims }: ExpectedToken,
): (token: string) => unknown {
  const verify = createVerifier({
    key: verifyingKey,
    algorithms: [algorithm],
    checkTyp: typ,
    allowedIss: issuer,
    allowedAud: audience,
    requiredClaims,
    ignoreExpiration: true,
  })
  return (token) => {
    if (!isCanonical(token)) throw new Error('not in canonical encoding')
    return verify(token)
  }
}

/**
 * Returns whether a token is in the compact form (RFC 7515 7.1) and its signature in canonical
 * base64url: without padding, and with zeros in the unused bits (RFC 4648 3.5). Header and claims
 * need no such check, because the signature covers their encoded text.
 */
function isCanonical(token: string): boolean {
  const [, signature] = /^[\w-]+\.[\w-]+\.([\w-]+)$/.exec(token) ?? []
  return (
    signature !== undefined &&
    Buffer.from(signature, 'base64url').toString('base64url') === signature
  )
}
