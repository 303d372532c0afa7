import type { UserStatus } from '../embedding/views.ts'
import { type FieldError, PawlError } from '../errors.ts'
import { hashProblem } from './password-hashes/hash-formats.ts'
import type { PasswordPolicy } from './password-policy.ts'

/** A user whom an administrator, an operator or an import creates. */
export interface NewUser {
  /** What the application calls the user. Pawl makes one if it is absent. */
  id?: string | undefined
  email?: string | undefined
  emailVerified?: boolean
  /** Of a user without a password or a hash, Pawl never accepts a password. */
  password?: string | undefined
  /** The hash of the password in any supported format. */
  passwordHash?: string | undefined
  roles?: string[]
  status?: UserStatus
}

/**
 * Checks what the schema cannot say about a new user. Throws `VALIDATION_FAILED` or
 * `AUTH_PASSWORD_REJECTED`, without the password and the hash.
 */
export function checkNewUser(user: NewUser, policy: PasswordPolicy): void {
  const { id, email, password, passwordHash } = user
  if (id === undefined && email === undefined)
    throw invalid({ field: 'email', message: 'is required, unless there is an id' })
  if (password !== undefined && passwordHash !== undefined)
    throw invalid({ field: 'passwordHash', message: 'cannot be given together with a password' })
  const problem = passwordHash === undefined ? undefined : hashProblem(passwordHash)
  if (problem) throw invalid({ field: 'passwordHash', message: problem })
  if (password === undefined) return
  policy.check(password, email)
}

function invalid(error: FieldError): PawlError {
  const { field, message } = error
  return new PawlError('VALIDATION_FAILED', {
    detail: `body/${field}: ${message}`,
    errors: [error],
  })
}
