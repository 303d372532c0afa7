import { createHash, randomBytes } from 'node:crypto'
import type { NewMail, NoticeMail } from '../mail/mail.ts'
import type { User } from '../users/user-records.ts'

/** What somebody may do who has the code: the purpose of the mail that carries it. */
export type CodePurpose = Exclude<NewMail, NoticeMail>['purpose']

/** A code that a mail needs. */
export type CodeRequest = Exclude<NewMail, NoticeMail>

/** Milliseconds that a code is valid. The more it lets somebody do, the shorter. */
export const CODE_LIFE: Record<CodePurpose, number> = {
  'verify-address': 24 * 3_600_000,
  'change-address': 3_600_000,
  'reset-password': 3_600_000,
  'login-code': 900_000,
}

/** Returns a new code of 256 random bits, which nobody can guess. It fits into a link. */
export function createToken(): string {
  return randomBytes(32).toString('base64url')
}

/**
 * Returns what is stored of a code. A plain hash is enough, because there are too many codes to try
 * them all.
 */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

/**
 * Returns a digest of the credentials that a code depends on. A change of the password or of the
 * address changes it, and makes the codes void that were made before.
 */
export function stateOf({ email, passwordHash }: Pick<User, 'email' | 'passwordHash'>): string {
  return createHash('sha256')
    .update(JSON.stringify([email, passwordHash]))
    .digest('hex')
}
