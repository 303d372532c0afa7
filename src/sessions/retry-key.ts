import { createHash } from 'node:crypto'

/**
 * What is kept of an `Idempotency-Key`: the first 6 bytes of its SHA-256, in hex. Never the key itself.
 * Whoever has a spent token can try one key: if it is the wrong one, the session ends.
 */
export function retryKeyOf(idempotencyKey: string | undefined): string | null {
  if (idempotencyKey === undefined) return null
  return createHash('sha256').update(idempotencyKey).digest('hex').slice(0, 12)
}
