import { randomBytes, randomUUID } from 'node:crypto'

/** The password of every user that the helpers create. */
export const PASSWORD = 'turn one notch at a time'

export function newEmail(): string {
  return `${randomUUID()}@example.com`
}

/** Returns a new value for the header `Idempotency-Key`. */
export function newRetryKey(): string {
  return randomBytes(16).toString('hex')
}

/** Returns a new secret for a client in `INTROSPECTION_CLIENTS` or `SESSION_CLIENTS`. */
export function newClientSecret(): string {
  return randomBytes(24).toString('hex')
}
