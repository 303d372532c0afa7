import { availableParallelism } from 'node:os'
import argon2 from 'argon2'
import { PawlError } from '../errors.ts'
import { createHashQueue } from './hash-queue.ts'
import { argon2Family } from './password-hashes/argon2.ts'
import { type HashWork, parseUsableHash, spendHashWork } from './password-hashes/hash-formats.ts'
import { createPeppers, type Peppers, withPepperId } from './password-hashes/pepper.ts'
import type { StoredHash } from './password-hashes/stored-hash.ts'
import { normalizePassword } from './password-policy.ts'

export interface HashSettings {
  argon2MemoryKib: number
  argon2Time: number
  argon2Parallelism: number
  /** Secrets that hashes depend on, as `createPeppers` reads them. */
  passwordPepper?: string | undefined
}

/** Maximum number of waiting hashes per running one: about two seconds of work by default. */
const MAX_WAITING_PER_RUNNING = 32
/** Milliseconds that a hash waits for its turn. */
const MAX_WAIT = 3_000

export interface Verification {
  /** The address of the client that waits for it. */
  ip?: string
  /**
   * The work of all stored hashes. A verification that fails does all of it, so that its time does
   * not depend on the hash, nor on whether there is one.
   */
  work?: HashWork
  /** Whether a right password fails too, because the user is disabled. */
  isRefused?: boolean
}

export type PasswordHasher = ReturnType<typeof createPasswordHasher>

/**
 * Creates a hasher that runs argon2id (RFC 9106). It runs a limited number of hashes at the same
 * time and lets a limited number wait, for a limited time. Beyond that its methods reject with
 * `AUTH_OVERLOADED`, because a client that waits too long gives up before the response arrives.
 *
 * The clients of each group of addresses share one place in the queue, so a flood of logins from
 * one of them does not displace the logins of others. `groupOf` returns the group of an address.
 */
export function createPasswordHasher(
  {
    argon2MemoryKib: memoryCost,
    argon2Time: timeCost,
    argon2Parallelism: parallelism,
    passwordPepper,
  }: HashSettings,
  groupOf: (ip: string) => string = (ip) => ip,
) {
  const options = { type: argon2.argon2id, memoryCost, timeCost, parallelism }
  const family = argon2Family({
    variant: 'argon2id',
    memory: memoryCost,
    passes: timeCost,
    parallelism,
  })
  const peppers = createPeppers(passwordPepper)
  // One hash keeps one core busy, so more at the same time would only wait for each other.
  const concurrency = availableParallelism()
  const queue = createHashQueue({
    concurrency,
    maxWaiting: concurrency * MAX_WAITING_PER_RUNNING,
    maxWait: MAX_WAIT,
    refusal: () => new PawlError('AUTH_OVERLOADED'),
  })

  return {
    /** Number of hashes that run at the same time. */
    concurrency,

    /** The work of the hashes of this hasher. */
    work: { [family]: 1 } as HashWork,

    /** Returns a PHC string. `ip` is the address of the client that waits for it. */
    hash: (password: string, ip = ''): Promise<string> =>
      queue.run(groupOf(ip), async () => {
        const normalized = normalizePassword(password)
        const { current } = peppers
        if (!current) return argon2.hash(normalized, options)
        const { secret } = current
        return withPepperId(await argon2.hash(normalized, { ...options, secret }), current)
      }),

    /** Returns whether a hash, of any supported format, is that of the password. */
    verify(
      text: string | null | undefined,
      password: string,
      { ip = '', work = {}, isRefused = false }: Verification = {},
    ): Promise<boolean> {
      const hash = parseUsableHash(text)
      const forms = formsOf(password)
      // All of it is one turn in the queue: the second half must not be refused for lack of room.
      return queue.run(groupOf(ip), async () => {
        const matches = await matchesAny(hash, forms, peppers)
        if (matches && !isRefused) return true
        for (const [name, cost] of Object.entries({ ...work, [family]: 1 }))
          for (const _ of forms)
            await spendHashWork(name, name === hash?.family ? hash.cost : 0, cost)
        return matches
      })
    },

    /** Returns whether a hash that has been verified is not one that this hasher would make. */
    isOutdated: (text: string): boolean =>
      !text.startsWith('$argon2id$') ||
      argon2.needsRehash(text, options) ||
      parseUsableHash(text)?.pepperId !== peppers.current?.id,
  }
}

/**
 * Returns the forms of a password that may have been hashed. Hashes of Pawl are of the normalized
 * form. Most other applications hash a password as it was typed.
 */
function formsOf(password: string): string[] {
  const normalized = normalizePassword(password)
  return normalized === password ? [password] : [normalized, password]
}

async function matchesAny(
  hash: StoredHash | undefined,
  forms: string[],
  peppers: Peppers,
): Promise<boolean> {
  const pepper = hash?.pepperId === undefined ? undefined : peppers.find(hash.pepperId)
  let matches = false
  // It does not stop at the first match, because a refused one takes the same work.
  for (const form of forms) if (await hash?.verify(form, pepper?.secret)) matches = true
  return matches
}
