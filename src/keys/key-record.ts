import type { SigningAlgorithm } from './signing-key.ts'

/** Access keys are pairs with a published half. Refresh keys are secrets that stay in Pawl. */
export const PURPOSES = ['access', 'refresh'] as const
export type Purpose = (typeof PURPOSES)[number]
export type KeyAlgorithm = SigningAlgorithm | 'HS256'
/** `gone` means expired or revoked: the key neither signs nor verifies. */
export type KeyState = 'next' | 'current' | 'retired' | 'gone'

/**
 * A key as the database stores it. Times are milliseconds since 1970, always by the clock of
 * Postgres.
 */
export interface KeyRecord {
  kid: string
  purpose: Purpose
  algorithm: KeyAlgorithm
  /** The public half of an access key; null for a refresh key, and once the key is erased. */
  jwk: Record<string, string> | null
  /** The private half, encrypted; null once the key is erased. */
  sealed: string | null
  /** Milliseconds for which a token that the key signs may still matter. */
  tokenLife: number
  createdAt: number
  /** The time from which every verifier is expected to know the key. */
  readyAt: number
  /** The time from which the key signs; null for the standby key. */
  signsFrom: number | null
  /** The time at which the key stops signing. */
  retiredAt: number | null
  /** The time at which the key stops verifying. */
  expiresAt: number | null
  /** The time at which the key was revoked: from then on its tokens are refused. */
  revokedAt: number | null
}

/** Returns the state of a key at a time in milliseconds. */
export function stateOf(key: KeyRecord, now: number): KeyState {
  if (key.sealed === null || key.revokedAt !== null) return 'gone'
  if (key.expiresAt !== null && now >= key.expiresAt) return 'gone'
  if (key.signsFrom === null || now < key.signsFrom) return 'next'
  return key.retiredAt === null || now < key.retiredAt ? 'current' : 'retired'
}
