import { createHash, timingSafeEqual } from 'node:crypto'
import type { Client } from '../config/clients.ts'

/**
 * Returns a function that checks whether an `Authorization` header carries the Basic credentials
 * (RFC 7617) of one of the clients. The time it takes reveals nothing about the secrets.
 */
export function createClientCheck(clients: readonly Client[]) {
  const known = clients.map(({ id, secret }) => digest(`${id}:${secret}`))
  return (authorization: string | undefined): boolean => {
    const [, encoded = ''] = authorization?.match(/^Basic +([\w+/=-]+)$/i) ?? []
    const presented = digest(Buffer.from(encoded, 'base64'))
    // `filter`, not `some`: every client is compared, whichever one matches.
    return known.filter((one) => timingSafeEqual(one, presented)).length > 0
  }
}

/** Digests have one length, which `timingSafeEqual` requires. */
function digest(credentials: string | Buffer): Buffer {
  return createHash('sha256').update(credentials).digest()
}
