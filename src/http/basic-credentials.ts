import { createHash, timingSafeEqual } from 'node:crypto'
import type { Client } from '../config/clients.ts'

/**
 * Returns a function that checks whether an `Authorization` header carries the Basic credentials
 * (RFC 7617) of one of the clients, as they are or form-encoded, which RFC 6749 2.3.1 demands and
 * few clients do. The time it takes reveals nothing about the secrets.
 */
export function createClientCheck(clients: readonly Client[]) {
  const known = clients.map(({ id, secret }) => digest(`${id}:${secret}`))
  return (authorization: string | undefined): boolean => {
    const [, encoded = ''] = authorization?.match(/^Basic +([\w+/=-]+)$/i) ?? []
    const credentials = Buffer.from(encoded, 'base64').toString('latin1')
    const presented = [digest(credentials), digest(formDecoded(credentials))]
    // `filter`, not `some`: every client is compared, whichever one matches.
    return (
      known.filter((one) => presented.filter((other) => timingSafeEqual(one, other)).length > 0)
        .length > 0
    )
  }
}

/**
 * Returns the credentials with the id and the secret decoded, or an empty text if they are not
 * encoded. The colon between them is never encoded, and neither of them contains one.
 */
function formDecoded(credentials: string): string {
  const parts = credentials.split(':')
  if (parts.length !== 2) return ''
  try {
    return parts.map((part) => decodeURIComponent(part.replaceAll('+', ' '))).join(':')
  } catch {
    return ''
  }
}

/** Digests have one length, which `timingSafeEqual` requires. */
function digest(credentials: string): Buffer {
  return createHash('sha256').update(credentials).digest()
}
