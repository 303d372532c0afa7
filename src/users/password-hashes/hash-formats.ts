import { argon2Format } from './argon2.ts'
import { parseAspNetIdentity } from './aspnet-identity.ts'
import { bcryptFormat } from './bcrypt.ts'
import { parseDjango } from './django.ts'
import { pbkdf2Format } from './pbkdf2.ts'
import { scryptFormat } from './scrypt.ts'
import type { StoredHash } from './stored-hash.ts'

const FORMATS = [argon2Format, bcryptFormat, scryptFormat, pbkdf2Format]
const PARSERS = [...FORMATS.map(({ parse }) => parse), parseDjango, parseAspNetIdentity]

/** Maximum length of a hash in characters. */
const MAX_HASH_LENGTH = 1_024

/** The highest cost of the stored hashes, by family. */
export type HashWork = Readonly<Record<string, number>>

/**
 * Parses a password hash of any supported format. Returns undefined if there is no such format.
 * Throws a `RangeError` whose message completes "The hash …" if its parameters are refused.
 */
function parseHash(text: string): StoredHash | undefined {
  if (text.length > MAX_HASH_LENGTH) return undefined
  for (const parse of PARSERS) {
    const hash = parse(text)
    if (hash) return hash
  }
  return undefined
}

/** Like `parseHash`, but returns undefined for every text that no login can succeed with. */
export function parseUsableHash(text: string | null | undefined): StoredHash | undefined {
  try {
    return text ? parseHash(text) : undefined
  } catch {
    return undefined
  }
}

/** Returns the work of one stored hash. */
export function workOf(text: string | null | undefined): HashWork {
  const hash = parseUsableHash(text)
  return hash ? { [hash.family]: hash.cost } : {}
}

/** Returns what keeps a hash from being imported, fit for a form, or undefined. */
export function hashProblem(text: string): string | undefined {
  try {
    return parseHash(text) ? undefined : 'is not a password hash of a known format'
  } catch (error) {
    if (error instanceof RangeError) return error.message
    throw error
  }
}

/** Does the work by which hashes of a family at cost `to` exceed one at cost `from`. */
export async function spendHashWork(family: string, from: number, to: number): Promise<void> {
  for (const { spend } of FORMATS) {
    const spending = spend(family, from, to)
    if (spending) return void (await spending)
  }
}
