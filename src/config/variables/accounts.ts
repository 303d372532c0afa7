import { isRepetitive, NOT_RANDOM } from '../random-text.ts'
import { flag, optionalText, variable, wholeNumber } from '../variable.ts'

export const PASSWORD_VARIABLES = {
  passwordMinLength: wholeNumber('PASSWORD_MIN_LENGTH', [8, 64], {
    default: '15',
    description:
      'Characters that a new password must have at least. 15 is the minimum of NIST SP 800-63B-4 ' +
      'if the password is the only factor.',
  }),
  argon2MemoryKib: wholeNumber('ARGON2_MEMORY_KIB', [1_024, 4_194_304], {
    default: '19456',
    description:
      'Memory for one argon2id hash, in KiB. When one of the three argon2 settings changes, ' +
      "each user's hash is replaced at the next login. Less than the minimum of OWASP (19456 KiB " +
      'and 2 passes, or 12288 and 3, 9216 and 4, 7168 and 5) is a warning in the log.',
  }),
  argon2Time: wholeNumber('ARGON2_TIME', [2, 100], {
    default: '2',
    description: 'Passes over the memory for one hash.',
  }),
  argon2Parallelism: wholeNumber('ARGON2_PARALLELISM', [1, 64], {
    default: '1',
    description: 'Lanes of one hash.',
  }),
  passwordPepper: optionalText('PASSWORD_PEPPER', {
    format: 'secrets of at least 32 random characters, comma-separated; the first may be empty',
    isValid: (text) => arePeppers(text) && !text.split(',').some(isMadeUp),
    problemOf: (text) => (arePeppers(text) ? NOT_RANDOM : undefined),
    description:
      'Secret that new password hashes depend on, so that a copy of the database alone is of no ' +
      'use for guessing. To replace it, set the new one, a comma and the old one; each login ' +
      'then replaces a hash. **Without it, the hashes that depend on it are lost** ' +
      '([guide](guides/administration.md#a-pepper)).',
  }),
}

export const ACCOUNT_VARIABLES = {
  signup: variable<boolean | 'verified'>('SIGNUP', {
    default: 'true',
    format: 'true, false or verified',
    isValid: (text) => ['true', 'false', 'verified'].includes(text),
    parse: (text) => (text === 'verified' ? text : text === 'true'),
    description:
      'Whether people may create an account for themselves. With `false`, only administrators ' +
      'create accounts. With `verified`, the response is always a 202, and the mail to the ' +
      'address says whether there was an account: nobody else learns it ' +
      '([guide](guides/recovery.md#sign-up-by-mail)).',
  }),
  requireVerifiedEmail: flag('REQUIRE_VERIFIED_EMAIL', ['on', 'off'], {
    default: 'off',
    description:
      'With `on`, a login with the right password gets a 403 `AUTH_EMAIL_UNVERIFIED` as long as ' +
      'nobody has proved that they read the mail of the address ' +
      '([guide](guides/recovery.md#verified-addresses-only)). It needs another `SIGNUP` than ' +
      '`true`, which starts a session at once.',
  }),
  guessesPerAccount: wholeNumber('GUESSES_PER_ACCOUNT', [10, 100], {
    default: '100',
    description:
      'Wrong passwords in a row for one account, from all strangers together, until its password ' +
      'must be reset. Each one is remembered for a day, and they add up ' +
      '([guide](guides/abuse.md)). All nodes share the counts of this and the next two limits.',
  }),
  guessesPerClient: wholeNumber('GUESSES_PER_CLIENT', [3, 100], {
    default: '10',
    description:
      'Wrong passwords within an hour for one account from one address, or from one device that ' +
      'has logged in before.',
  }),
  guessesPerNetwork: wholeNumber('GUESSES_PER_NETWORK', [10, 1_000_000], {
    default: '300',
    description:
      'Wrong passwords within an hour from one address, for all accounts together. Raise it if ' +
      'very many users share an address.',
  }),
  ...PASSWORD_VARIABLES,
}

function arePeppers(text: string): boolean {
  const [first = '', ...others] = text.split(',')
  const isLong = (secret: string) => secret.length >= 32
  return (isLong(first) || (!first && others.length > 0)) && others.every(isLong)
}

const isMadeUp = (secret: string) => secret !== '' && isRepetitive(secret)
