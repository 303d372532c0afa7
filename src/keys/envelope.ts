import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'

const ALGORITHM = 'aes-256-gcm'
const VERSION = 'v1'
/** Bytes, as NIST SP 800-38D recommends. */
const NONCE_LENGTH = 12
/** Bytes of the GCM authentication tag. */
const TAG_LENGTH = 16

export interface Envelope {
  /** Encrypts `text`. Only `open` with the same context can decrypt it. */
  seal(text: string, context: string): string
  /** Decrypts. Throws if the text was sealed with another secret or context, or was changed. */
  open(sealed: string, context: string): string
}

/**
 * Encrypts values that are stored in the database, under a key derived (HKDF, RFC 5869) from a
 * secret that is not in the database. `secrets` is a comma-separated list: the first secret
 * encrypts and every secret decrypts, so that the secret itself can be changed.
 */
export function createEnvelope(secrets: string): Envelope {
  const keys = new Map(
    secrets.split(',').map((secret) => {
      const key = Buffer.from(hkdfSync('sha256', secret.trim(), '', 'pawl signing keys', 32))
      return [createHash('sha256').update(key).digest('base64url').slice(0, 8), key]
    }),
  )
  const [first] = keys

  return {
    seal(text, context) {
      if (!first) throw new Error('there is no secret to encrypt with')
      const [id, key] = first
      const nonce = randomBytes(NONCE_LENGTH)
      const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(context))
      const parts = [nonce, cipher.update(text, 'utf8'), cipher.final()]
      const sealed = Buffer.concat([...parts, cipher.getAuthTag()])
      return [VERSION, id, sealed.toString('base64url')].join('.')
    },

    open(text, context) {
      const [version, id = '', body = ''] = text.split('.')
      const key = keys.get(id)
      if (version !== VERSION || !key) throw new Error('encrypted with another secret')
      const sealed = Buffer.from(body, 'base64url')
      const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(0, NONCE_LENGTH))
      decipher.setAAD(Buffer.from(context)).setAuthTag(sealed.subarray(-TAG_LENGTH))
      const encrypted = sealed.subarray(NONCE_LENGTH, -TAG_LENGTH)
      return decipher.update(encrypted, undefined, 'utf8') + decipher.final('utf8')
    },
  }
}
