import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto'
import { promisify } from 'node:util'

export const SIGNING_ALGORITHMS = ['EdDSA', 'ES256', 'RS256'] as const
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number]

/** A key pair for access tokens, with its public half as it is published (RFC 7517). */
export interface SigningKey {
  kid: string
  algorithm: SigningAlgorithm
  privateKey: string
  publicKey: string
  jwk: JsonWebKey & { kid: string; alg: string; use: 'sig' }
}

/**
 * Reads a private key from PKCS #8 text: PEM, or the base64 of the DER, which fits on one line of
 * an .env file. Throws if the text is not a private key, or not one for the algorithm
 * (RFC 7518 3.1, RFC 8037 3.1).
 */
export function importSigningKey(text: string, algorithm: string): SigningKey {
  const privateKey = text.includes('-----BEGIN')
    ? createPrivateKey(text.replaceAll('\\n', '\n'))
    : createPrivateKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'pkcs8' })
  if (!fits(privateKey, algorithm)) throw new Error(`the private key is not one for ${algorithm}`)
  const publicKey = createPublicKey(privateKey)
  const jwk = publicKey.export({ format: 'jwk' })
  const kid = thumbprint(jwk)
  return {
    kid,
    algorithm,
    privateKey: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    publicKey: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    jwk: { ...jwk, kid, alg: algorithm, use: 'sig' },
  }
}

/**
 * The arguments of Node's key generators. Node's types have one overload for each pair of
 * arguments and none for their union, so all three are declared as the first.
 */
type GeneratorArguments = ['ed25519', object]
const GENERATOR_ARGUMENTS: Record<SigningAlgorithm, GeneratorArguments> = {
  EdDSA: ['ed25519', {}],
  ES256: ['ec', { namedCurve: 'P-256' }] as unknown as GeneratorArguments,
  RS256: ['rsa', { modulusLength: 3072 }] as unknown as GeneratorArguments,
}

/** Generates a private key, as the one-line text that `importSigningKey` reads. */
export function generateSigningKey(algorithm: SigningAlgorithm): string {
  return toText(generateKeyPairSync(...GENERATOR_ARGUMENTS[algorithm]).privateKey)
}

/** Does the same on another thread: RSA would block a server for most of a second. */
export async function generateSigningKeyAsync(algorithm: SigningAlgorithm): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)(...GENERATOR_ARGUMENTS[algorithm])
  return toText(privateKey)
}

function toText(privateKey: KeyObject): string {
  return privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64')
}

function fits(key: KeyObject, algorithm: string): algorithm is SigningAlgorithm {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  switch (algorithm) {
    case 'EdDSA':
      return type === 'ed25519'
    case 'ES256':
      return type === 'ec' && details?.namedCurve === 'prime256v1'
    case 'RS256':
      return type === 'rsa' && (details?.modulusLength ?? 0) >= 2048
    default:
      return false
  }
}

/** Fewer bits give less than the 128 bits of strength of the other algorithms (NIST SP 800-57). */
export const MIN_RSA_BITS = 3072

/** Returns whether a public key is an RSA key of less than `MIN_RSA_BITS`. */
export function isSmallRsa({ kty, n = '' }: { kty?: string; n?: string }): boolean {
  return kty === 'RSA' && Buffer.from(n, 'base64url').length * 8 < MIN_RSA_BITS
}

/** Returns the thumbprint of RFC 7638, so that a key has the same id on every node. */
function thumbprint(jwk: JsonWebKey): string {
  const required = ['crv', 'e', 'kty', 'n', 'x', 'y'].filter((name) => jwk[name] !== undefined)
  const canonical = JSON.stringify(Object.fromEntries(required.map((name) => [name, jwk[name]])))
  return createHash('sha256').update(canonical).digest('base64url')
}
