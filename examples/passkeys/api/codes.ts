import { Secret, TOTP } from 'otpauth'
import { PawlError } from 'pawl'
import type { User } from './users.ts'

interface Enrolment {
  totp: TOTP
  /** False until the user has given a code, which shows that their app has the secret. */
  isConfirmed: boolean
  /** The number of the latest time step whose code was used. */
  lastStep: number
  /** How many codes were wrong since the last right one. */
  failures: number
  /** No code is checked before this time, in milliseconds since 1970. */
  retryAt: number
}

export type Codes = ReturnType<typeof createCodes>

/** After this many wrong codes in a row, each further one costs a pause. */
const FREE_FAILURES = 5
/** Milliseconds. */
const PAUSE = 15 * 60_000

/**
 * Creates the store and the rules of one-time codes (RFC 6238). It is in memory. In your database,
 * encrypt the secrets, and let one conditional UPDATE check and store the step.
 */
export function createCodes(clock = Date.now) {
  const enrolments = new Map<string, Enrolment>()

  /** Throws unless the code is right and new. Nothing is awaited, so no other request comes in. */
  function spend(enrolment: Enrolment, token: string): void {
    const timestamp = clock()
    if (timestamp < enrolment.retryAt)
      throw new PawlError('RATE_LIMITED', {
        detail: 'Too many wrong codes. Please try again later.',
        retryAfter: Math.ceil((enrolment.retryAt - timestamp) / 1000),
      })
    // One step to either side, because clocks differ and people type slowly (RFC 6238 5.2).
    const delta = enrolment.totp.validate({ token, timestamp, window: 1 })
    const step = enrolment.totp.counter({ timestamp }) + (delta ?? Number.NEGATIVE_INFINITY)
    if (step <= enrolment.lastStep) {
      enrolment.failures += 1
      if (enrolment.failures >= FREE_FAILURES) enrolment.retryAt = timestamp + PAUSE
      throw new PawlError('AUTH_INVALID_CREDENTIALS', {
        detail: 'The code is wrong, or was used before.',
        reason: 'wrong code',
      })
    }
    Object.assign(enrolment, { failures: 0, lastStep: step })
  }

  function find(userId: string, isConfirmed: boolean): Enrolment {
    const enrolment = enrolments.get(userId)
    if (enrolment?.isConfirmed === isConfirmed) return enrolment
    throw new PawlError('BAD_REQUEST', { detail: 'This account has no codes to check.' })
  }

  return {
    isOn: (userId: string) => enrolments.get(userId)?.isConfirmed === true,

    /** Returns a new secret for the user's app, as an `otpauth:` address. */
    enrol({ id, name }: User): string {
      // Otherwise whoever has the session could replace the second factor by one of their own.
      if (enrolments.get(id)?.isConfirmed)
        throw new PawlError('AUTH_FORBIDDEN', { detail: 'This account has codes already.' })
      const totp = new TOTP({ issuer: 'Vault', label: name, secret: new Secret({ size: 20 }) })
      enrolments.set(id, { totp, isConfirmed: false, lastStep: 0, failures: 0, retryAt: 0 })
      return totp.toString()
    },

    /** Turns codes on. From then on, `spend` knows the user. */
    confirm(userId: string, code: string): void {
      const enrolment = find(userId, false)
      spend(enrolment, code)
      enrolment.isConfirmed = true
    },

    /** Uses a code up. Throws if it is wrong, was used before, or too many were wrong. */
    spend: (userId: string, code: string) => spend(find(userId, true), code),
  }
}
