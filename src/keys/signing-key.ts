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

/** A key pair for access tokens, with its public half as published (RFC 7517). */
export interface SigningKey {
  kid: string
  algorithm: SigningAlgorithm
  privateKey: string
  publicKey: string
  jwk: JsonWebKey & { kid: string; alg: string; use: 'sig' }
}

/**
 * A private key from its PKCS #8 text: PEM, or the base64 of the DER, which fits on a line of an .env file.
 * Throws where the text is no private key, or one that the algorithm cannot use (RFC 7518 3.1, RFC 8037 3.1).
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

/** What Node is asked for. Its types know each pair, and not that the three are used alike. */
type Request = ['ed25519', object]
const REQUESTS: Record<SigningAlgorithm, Request> = {
  EdDSA: ['ed25519', {}],
  ES256: ['ec', { namedCurve: 'P-256' }] as unknown as Request,
  RS256: ['rsa', { modulusLength: 3072 }] as unknown as Request,
}

/** A new private key, as the one-line text that `importSigningKey` and the environment take. */
export function generateSigningKey(algorithm: SigningAlgorithm): string {
  return toText(generateKeyPairSync(...REQUESTS[algorithm]).privateKey)
}

/** The same, beside the work of a server: RSA would hold it up for the better part of a second. */
export async function makeSigningKey(algorithm: SigningAlgorithm): Promise<string> {
  return toText((await promisify(generateKeyPair)(...REQUESTS[algorithm])).privateKey)
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

/** RFC 7638: the same key has the same id everywhere, so nothing has to be configured. */
function thumbprint(jwk: JsonWebKey): string {
  const required = ['crv', 'e', 'kty', 'n', 'x', 'y'].filter((name) => jwk[name] !== undefined)
  const canonical = JSON.stringify(Object.fromEntries(required.map((name) => [name, jwk[name]])))
  return createHash('sha256').update(canonical).digest('base64url')
}
