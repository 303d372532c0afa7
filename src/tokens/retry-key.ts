import { createHash } from 'node:crypto'

/** What is kept of an `Idempotency-Key`: the first 8 bytes of its SHA-256, in hex. Never the key itself. */
export function retryKeyOf(idempotencyKey: string | undefined): string | null {
  if (idempotencyKey === undefined) return null
  return createHash('sha256').update(idempotencyKey).digest('hex').slice(0, 16)
}
