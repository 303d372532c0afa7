import { createHmac, randomBytes } from 'node:crypto'
import type { KeyAlgorithm, Purpose } from './key-record.ts'
import { importSigningKey, makeSigningKey, type SigningAlgorithm } from './signing-key.ts'

/** A key itself, as it is used and never stored. */
export interface KeyMaterial {
  kid: string
  purpose: Purpose
  algorithm: KeyAlgorithm
  jwk: Record<string, string> | null
  /** What `importKey` takes: the private key as PKCS #8, or the secret. */
  secret: string
  /** For JWT libraries: PEM, or the secret as both. */
  signingKey: string
  verifyingKey: string
}

/** A key from its text. Throws where the text is no key for the algorithm. */
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
  const published = jwk as Record<string, string>
  return {
    kid,
    purpose,
    algorithm,
    jwk: published,
    secret,
    signingKey: privateKey,
    verifyingKey: publicKey,
  }
}

/** A new key. RSA takes a while, and does not hold up the process. */
export async function makeKey(purpose: Purpose, algorithm: SigningAlgorithm): Promise<KeyMaterial> {
  if (purpose === 'refresh')
    return importKey(purpose, 'HS256', randomBytes(32).toString('base64url'))
  return importKey(purpose, algorithm, await makeSigningKey(algorithm))
}

/** The same secret has the same id everywhere. It tells no more of the secret than any token does that it signed. */
function secretId(secret: string): string {
  return createHmac('sha256', secret).update('pawl kid').digest('base64url').slice(0, 22)
}
