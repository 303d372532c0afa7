import {
  createHmac,
  createPrivateKey,
  createSecretKey,
  type SignKeyObjectInput,
  sign,
} from 'node:crypto'
import type { KeyMaterial } from './key-material.ts'

type Signer = Pick<KeyMaterial, 'kid' | 'algorithm' | 'signingKey'>

const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/**
 * Creates a signer of JWTs (RFC 7519, compact serialization of RFC 7515 7.1) with one key and one
 * `typ`. A library takes almost twice as long, most of it for options that are not used here, and
 * a refresh signs twice: see docs/adr/0012.
 */
export function createJwtSigner(key: Signer, typ: string) {
  const header = encodeHeader(key, typ)
  const computeSignature = createSignatureFunction(key)
  return (claims: Record<string, unknown>): string => {
    const input = `${header}.${base64url(claims)}`
    return `${input}.${computeSignature(input)}`
  }
}

/** Returns the JOSE header (RFC 7515 4) in its encoded form. */
export function encodeHeader(
  { kid, algorithm }: { kid: string | undefined; algorithm: string },
  typ: string,
): string {
  return base64url({ alg: algorithm, typ, kid })
}

/** Creates a function that signs text with one key (RFC 7518 3.1, RFC 8037 3.1). */
export function createSignatureFunction({
  algorithm,
  signingKey,
}: Signer): (input: string) => string {
  if (algorithm === 'HS256') {
    // A key object: with a raw key, Node 24 takes five times as long.
    const secret = createSecretKey(Buffer.from(signingKey))
    return (input) => createHmac('sha256', secret).update(input).digest('base64url')
  }
  const key: SignKeyObjectInput = { key: createPrivateKey(signingKey), dsaEncoding: 'ieee-p1363' }
  const digest = algorithm === 'EdDSA' ? null : 'sha256'
  return (input) => sign(digest, Buffer.from(input), key).toString('base64url')
}
