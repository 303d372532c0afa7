import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'

const ALGORITHM = 'aes-256-gcm'
const VERSION = 'v1'
/** Bytes, as NIST SP 800-38D recommends them. */
const NONCE = 12

export interface Envelope {
  /** `context` is bound to the text: what is sealed for one key cannot be opened as another's. */
  seal(text: string, context: string): string
  /** Throws where the text was sealed with another secret, for another context, or tampered with. */
  open(sealed: string, context: string): string
}

/**
 * Encryption for what is kept in the database, under a key derived (RFC 5869) from a secret that is not in it. Of several
 * secrets, separated by commas, the first one seals and all of them open, so that the secret itself can be changed.
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
      const nonce = randomBytes(NONCE)
      const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(context))
      const parts = [nonce, cipher.update(text, 'utf8'), cipher.final()]
      const sealed = Buffer.concat([...parts, cipher.getAuthTag()])
      return [VERSION, id, sealed.toString('base64url')].join('.')
    },

    open(text, context) {
      const [version, id = '', body = ''] = text.split('.')
      const key = keys.get(id)
      if (version !== VERSION || !key) throw new Error('sealed with another secret')
      const sealed = Buffer.from(body, 'base64url')
      const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(0, NONCE))
      decipher.setAAD(Buffer.from(context)).setAuthTag(sealed.subarray(-16))
      return (
        decipher.update(sealed.subarray(NONCE, -16), undefined, 'utf8') + decipher.final('utf8')
      )
    },
  }
}
