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
