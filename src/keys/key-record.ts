import type { SigningAlgorithm } from './signing-key.ts'

/** Access keys are pairs whose public half anybody may have; refresh keys are secrets that never leave the service. */
export const PURPOSES = ['access', 'refresh'] as const
export type Purpose = (typeof PURPOSES)[number]
export type KeyAlgorithm = SigningAlgorithm | 'HS256'
export type KeyState = 'next' | 'current' | 'retired' | 'gone'

/** A key as the database keeps it. Times in milliseconds since the epoch, by the clock of Postgres and no other. */
export interface KeyRecord {
  kid: string
  purpose: Purpose
  algorithm: KeyAlgorithm
  jwk: Record<string, string> | null
  /** The private half, encrypted; null once the key is gone. */
  sealed: string | null
  /** Milliseconds for which a token that it signs may matter. */
  tokenLife: number
  createdAt: number
  /** By then everybody who verifies has seen it. */
  readyAt: number
  /** Null while it stands by. */
  signsFrom: number | null
  retiredAt: number | null
  /** Until then it verifies. */
  expiresAt: number | null
  /** Retired at once, its tokens refused. */
  revokedAt: number | null
}

export function stateOf(key: KeyRecord, now: number): KeyState {
  if (key.sealed === null || key.revokedAt !== null) return 'gone'
  if (key.expiresAt !== null && now >= key.expiresAt) return 'gone'
  if (key.signsFrom === null || now < key.signsFrom) return 'next'
  return key.retiredAt === null || now < key.retiredAt ? 'current' : 'retired'
}
