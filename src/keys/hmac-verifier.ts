import { timingSafeEqual } from 'node:crypto'
import { createSignatureOf, headOf } from './jwt-signer.ts'
import type { KeyMaterial } from './key-material.ts'

/**
 * Verifies what `createJwtSigner` has signed with an HS256 key, by making the signature again. For tokens that nobody reads but
 * who made them: the header has to be one that is written here, to the byte, so that a token has no say in how it is verified
 * (RFC 8725 3.1). Throws where signature, `iss` or `aud` are not ours.
 */
export function createHmacVerifier(
  material: KeyMaterial,
  { typ, issuer, audience }: { typ: string; issuer: string; audience: string },
) {
  // An earlier version named no key.
  const heads = [headOf(material, typ), headOf({ ...material, kid: undefined }, typ)]
  const signatureOf = createSignatureOf(material)
  return (token: string): unknown => {
    const head = token.slice(0, token.indexOf('.'))
    const end = token.lastIndexOf('.')
    const given = Buffer.from(token.slice(end + 1))
    const made = Buffer.from(signatureOf(token.slice(0, end)))
    const isSigned = given.length === made.length && timingSafeEqual(given, made)
    if (!isSigned || !heads.includes(head)) throw new Error('not signed by us')
    const claims = JSON.parse(
      Buffer.from(token.slice(head.length + 1, end), 'base64url').toString(),
    )
    // What we make is good from the start: one that is not (RFC 7519 4.1.5) was not made for this.
    const isForUs = claims.iss === issuer && claims.aud === audience && claims.nbf === undefined
    if (!isForUs) throw new Error('not made for this')
    return claims
  }
}
