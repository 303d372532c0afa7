import { dictionary } from '@zxcvbn-ts/language-common'
import { PawlError } from '../errors.ts'

/** In code points, like every length of a password (NIST SP 800-63B-4, 3.1.1.2). */
const MAX_LENGTH = 256

const COMMON: ReadonlySet<string> = new Set(dictionary['passwords-common'] as string[])

/**
 * Returns the form in which a password is checked, hashed and compared. It does not depend on how
 * a keyboard composes characters (NFKC, NIST SP 800-63B-4, 3.1.1.2).
 */
export function normalizePassword(password: string): string {
  return password.normalize('NFKC')
}

/**
 * Checks a new password. It must be long enough, not the user's own address, and not one of the
 * most common passwords. Any character is allowed and none is required. Throws
 * `AUTH_PASSWORD_REJECTED` with what to do about it. `field` is the name of the field in the form.
 */
export function checkNewPassword(
  normalized: string,
  email: string,
  passwordMinLength: number,
  field = 'password',
): void {
  const rejected = (detail: string) =>
    new PawlError('AUTH_PASSWORD_REJECTED', { detail, errors: [{ field, message: detail }] })

  const length = [...normalized].length
  const folded = normalized.toLowerCase()
  if (length < passwordMinLength) throw rejected(`Use at least ${passwordMinLength} characters.`)
  if (length > MAX_LENGTH) throw rejected(`Use at most ${MAX_LENGTH} characters.`)
  if (folded === email || folded === email.split('@')[0])
    throw rejected('Do not use your e-mail address.')
  if (COMMON.has(folded))
    throw rejected('This is one of the most common passwords. Choose another.')
}
