import { createHmac, randomBytes } from 'node:crypto'
import type { KeyAlgorithm, Purpose } from './key-record.ts'
import { generateSigningKeyAsync, importSigningKey, type SigningAlgorithm } from './signing-key.ts'

/** A key ready for use, with its private half in clear text. It is never stored in this form. */
export interface KeyMaterial {
  kid: string
  purpose: Purpose
  algorithm: KeyAlgorithm
  /** The public half of an access key; null for a refresh key. */
  jwk: Record<string, string> | null
  /** The text that `importKey` takes: the private key as PKCS #8, or the shared secret. */
  secret: string
  /** The private key as PEM, or the shared secret. */
  signingKey: string
  /** The public key as PEM, or the shared secret. */
  verifyingKey: string
}

/** Reads a key from its text. Throws if the text is not a key for the algorithm. */
export function importKey(purpose: Purpose, algorithm: KeyAlgorithm, secret: string): KeyMaterial {
  if (algorithm === 'HS256') {
    return {
      kid: secretId(secret),
      purpose,
      algorithm,
      jwk: null,
      secret,
      signingKey: secret,
      verifyingKey: secret,
    }
  }
  const { kid, jwk, privateKey, publicKey } = importSigningKey(secret, algorithm)
  return {
    kid,
    purpose,
    algorithm,
    jwk: jwk as Record<string, string>,
    secret,
    signingKey: privateKey,
    verifyingKey: publicKey,
  }
}

/** Generates a key. RSA takes a while, but does not block the process. */
export async function generateKey(
  purpose: Purpose,
  algorithm: SigningAlgorithm,
): Promise<KeyMaterial> {
  if (purpose === 'refresh')
    return importKey(purpose, 'HS256', randomBytes(32).toString('base64url'))
  return importKey(purpose, algorithm, await generateSigningKeyAsync(algorithm))
}

/**
 * Returns the id of a shared secret, which is the same on every node. The id reveals no more about
 * the secret than any token signed with it does.
 */
function secretId(secret: string): string {
  return createHmac('sha256', secret).update('pawl kid').digest('base64url').slice(0, 22)
}
