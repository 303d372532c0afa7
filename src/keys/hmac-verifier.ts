import { timingSafeEqual } from 'node:crypto'
import { createSignatureFunction, encodeHeader } from './jwt-signer.ts'
import type { ExpectedToken } from './jwt-verifier.ts'
import type { KeyMaterial } from './key-material.ts'

/**
 * Creates a verifier of the tokens that `createJwtSigner` signs with an HS256 key. It computes the
 * signature again and compares. It is for tokens that only their issuer reads: the encoded header
 * must be exactly one that is written here, so that a token has no influence on how it is
 * verified (RFC 8725 3.1). The verifier throws if the signature, `iss` or `aud` is wrong.
 */
export function createHmacVerifier(
  material: KeyMaterial,
  { typ, issuer, audience }: Omit<ExpectedToken, 'requiredClaims'>,
) {
  // An earlier version of Pawl wrote no `kid` into the header.
  const headers = [encodeHeader(material, typ), encodeHeader({ ...material, kid: undefined }, typ)]
  const computeSignature = createSignatureFunction(material)
  return (token: string): unknown => {
    const header = token.slice(0, token.indexOf('.'))
    const end = token.lastIndexOf('.')
    const presented = Buffer.from(token.slice(end + 1))
    const expected = Buffer.from(computeSignature(token.slice(0, end)))
    const isSigned = presented.length === expected.length && timingSafeEqual(presented, expected)
    if (!isSigned || !headers.includes(header)) throw new Error('not signed with this key')
    const claims = JSON.parse(
      Buffer.from(token.slice(header.length + 1, end), 'base64url').toString(),
    )
    // Pawl never sets `nbf` (RFC 7519 4.1.5): a token that has it was not issued for this purpose.
    const isForUs = claims.iss === issuer && claims.aud === audience && claims.nbf === undefined
    if (!isForUs) throw new Error('not issued for this purpose')
    return claims
  }
}
