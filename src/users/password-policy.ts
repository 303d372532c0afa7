import { ZxcvbnFactory } from '@zxcvbn-ts/core'
import { adjacencyGraphs, dictionary } from '@zxcvbn-ts/language-common'
import { PawlError } from '../errors.ts'

/** In code points, like every length of a password (NIST SP 800-63B-4, 3.1.1.2). */
const MAX_LENGTH = 256

/**
 * Characters that the estimate of guesses reads. Its time grows with the square of the length, and
 * what is strong within these is strong as a whole.
 */
const ESTIMATED_LENGTH = 48

export interface PasswordPolicySettings {
  /** Minimum number of code points in a new password. */
  passwordMinLength: number
  /** The URL of this service. Its name must not be what a password is made of. */
  issuer?: string | undefined
}

export type PasswordPolicy = ReturnType<typeof createPasswordPolicy>

/**
 * Returns the form in which a password is checked, hashed and compared. It does not depend on how
 * a keyboard composes characters (NFKC, NIST SP 800-63B-4, 3.1.1.2).
 */
export function normalizePassword(password: string): string {
  return password.normalize('NFKC')
}

/** Creates the rules for new passwords. Any character is allowed and none is required. */
export function createPasswordPolicy({ passwordMinLength, issuer }: PasswordPolicySettings) {
  const service = issuer ? wordsOf(new URL(issuer).hostname) : []
  // A password of the minimum length that follows no pattern must pass, and 10^10 guesses take an
  // attacker with a copy of the database years.
  const minGuessesLog10 = Math.min(10, passwordMinLength) - 0.01
  let estimator: ZxcvbnFactory | undefined

  /** Returns what is wrong with a password, or undefined. */
  function weaknessOf(password: string, email: string): string | undefined {
    estimator ??= new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs })
    const context = [...service, ...wordsOf(email)]
    const { guessesLog10, sequence } = estimator.check(password.slice(0, ESTIMATED_LENGTH), context)
    if (guessesLog10 >= minGuessesLog10) return undefined
    const patterns = new Set(
      sequence.map(({ pattern, dictionaryName }) =>
        dictionaryName === 'userInputs' ? 'context' : pattern,
      ),
    )
    if (patterns.has('context'))
      return 'Do not make it from your e-mail address or the name of this service.'
    if (patterns.has('repeat')) return 'Do not repeat the same characters or words.'
    if (patterns.has('dictionary'))
      return 'It is easy to guess from common passwords. Use several words that are unrelated.'
    return 'Do not use a row of keys or characters, such as qwerty, abcd or 2468.'
  }

  return {
    /**
     * Checks a new password. It must be long enough and not easy to guess: not a common password,
     * the address, the name of the service, a variation of these, or a repetition. Throws
     * `AUTH_PASSWORD_REJECTED` with what to do about it. `field` is the name of the field in the
     * form.
     */
    check(password: string, email: string | null | undefined, field = 'password'): void {
      const rejected = (detail: string) =>
        new PawlError('AUTH_PASSWORD_REJECTED', { detail, errors: [{ field, message: detail }] })

      const normalized = normalizePassword(password)
      const length = [...normalized].length
      if (length < passwordMinLength)
        throw rejected(`Use at least ${passwordMinLength} characters.`)
      if (length > MAX_LENGTH) throw rejected(`Use at most ${MAX_LENGTH} characters.`)
      const weakness = weaknessOf(normalized, email?.toLowerCase() ?? '')
      if (weakness) throw rejected(weakness)
    },
  }
}

/** Returns an address or a host name with its parts, which passwords are made of. */
function wordsOf(text: string): string[] {
  const parts = text.split(/[^a-z0-9]+/)
  const joined = text.split(/[@.]/).map((part) => part.replaceAll(/[^a-z0-9]/g, ''))
  return [text, ...text.split('@'), ...parts, ...joined].filter((word) => word.length >= 3)
}
