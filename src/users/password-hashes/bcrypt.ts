import bcrypt from 'bcrypt'
import { demand, doublings, type HashFormat, type StoredHash, spendAll } from './stored-hash.ts'

/** A cost of 15 takes about two seconds. */
const MAX_COST = 15

const NATIVE = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/

/**
 * Parses a bcrypt hash. `$2a$` and PHP's `$2y$` are the same as `$2b$` for passwords of less than
 * 256 bytes. `$2x$` marks hashes of an implementation that was wrong, and is not supported.
 */
export function parseBcrypt(
  text: string,
  prepare: (password: string) => string = (password) => password,
): StoredHash | undefined {
  const match = NATIVE.exec(text)
  if (!match) return undefined
  const cost = Number(match[1])
  demand(cost >= 4 && cost <= MAX_COST, `costs too much or too little: 4 to ${MAX_COST} is allowed`)
  const known = toCanonical(text)
  return {
    family: 'bcrypt',
    cost: 2 ** cost,
    verify: (password) => bcrypt.compare(prepare(password), known),
  }
}

/** The order of bcrypt's own base64. */
const ALPHABET = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/**
 * Returns the hash as the library would write it, because it compares texts. The last characters of
 * the salt and of the key have unused bits, which other implementations leave as they are.
 */
function toCanonical(text: string): string {
  const clear = (index: number, mask: number) =>
    ALPHABET[ALPHABET.indexOf(text.charAt(index)) & mask]
  return `$2b${text.slice(3, 28)}${clear(28, 0b110000)}${text.slice(29, 59)}${clear(59, 0b111100)}`
}

/** bcrypt, which ignores what follows the 72nd byte of a password. */
export const bcryptFormat: HashFormat = {
  parse: (text) => parseBcrypt(text),

  spend(family, from, to) {
    if (family !== 'bcrypt') return undefined
    return spendAll(doublings(from, to), (cost) => bcrypt.hash('', Math.log2(cost)))
  },
}
