import { createHmac, createPrivateKey, type SignKeyObjectInput, sign } from 'node:crypto'
import type { KeyMaterial } from './key-material.ts'

type Signer = Pick<KeyMaterial, 'kid' | 'algorithm' | 'signingKey'>

const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/**
 * Signs claims as a JWT (RFC 7519, in the compact form of RFC 7515 7.1) with one key and one `typ`. A library does the same at
 * almost twice the cost, most of which is about claims and options that are not used here; a refresh signs twice.
 */
export function createJwtSigner(key: Signer, typ: string) {
  const head = headOf(key, typ)
  const signatureOf = createSignatureOf(key)
  return (claims: Record<string, unknown>): string => {
    const input = `${head}.${base64url(claims)}`
    return `${input}.${signatureOf(input)}`
  }
}

/** The JOSE header (RFC 7515 4), as it stands in the token. */
export function headOf(
  { kid, algorithm }: { kid: string | undefined; algorithm: string },
  typ: string,
): string {
  return base64url({ alg: algorithm, typ, kid })
}

/** RFC 7518 3.1 and RFC 8037 3.1. */
export function createSignatureOf({ algorithm, signingKey }: Signer): (input: string) => string {
  if (algorithm === 'HS256') {
    const secret = Buffer.from(signingKey)
    return (input) => createHmac('sha256', secret).update(input).digest('base64url')
  }
  const key: SignKeyObjectInput = { key: createPrivateKey(signingKey), dsaEncoding: 'ieee-p1363' }
  const digest = algorithm === 'EdDSA' ? null : 'sha256'
  return (input) => sign(digest, Buffer.from(input), key).toString('base64url')
}
