import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import argon2 from 'argon2'
import pLimit from 'p-limit'
import { PawlError } from '../errors.ts'

export interface HashSettings {
  argon2MemoryKib: number
  argon2Time: number
  argon2Parallelism: number
  /** Hashes at the same time. One keeps one core busy, so more than cores only wait. */
  concurrency?: number
}

/** Hashes that may wait, for each that runs: about two seconds' worth with the default parameters. */
const WAITING_PER_RUNNING = 32

export type PasswordHasher = Awaited<ReturnType<typeof createPasswordHasher>>

/**
 * argon2id (RFC 9106), a bounded number at once. Past the bound every method rejects with `AUTH_OVERLOADED` right away:
 * an answer now is worth more than one after the client has given up.
 */
export async function createPasswordHasher({
  argon2MemoryKib: memoryCost,
  argon2Time: timeCost,
  argon2Parallelism: parallelism,
  concurrency = availableParallelism(),
}: HashSettings) {
  const options = { type: argon2.argon2id, memoryCost, timeCost, parallelism }
  const limit = pLimit(concurrency)
  /** Stands in for the hash of a user who does not exist, so that looking for one costs what finding one costs. */
  const nobody = await argon2.hash(randomBytes(32), options)

  function queued<T>(work: () => Promise<T>): Promise<T> {
    if (limit.pendingCount >= concurrency * WAITING_PER_RUNNING)
      throw new PawlError('AUTH_OVERLOADED')
    return limit(work)
  }

  return {
    /** A PHC string. */
    hash: async (password: string): Promise<string> => queued(() => argon2.hash(password, options)),

    /** Whether the password made this hash; the same work where there is none. */
    async verify(hash: string | undefined, password: string): Promise<boolean> {
      const matches = await queued(() => argon2.verify(hash ?? nobody, password))
      // A hash from cheaper days would tell, by being quick, that somebody has an account.
      if (!matches && hash && argon2.needsRehash(hash, options))
        await queued(() => argon2.verify(nobody, password))
      return matches && hash !== undefined
    },

    /** Whether the hash was made with other parameters than those in force. */
    isOutdated: (hash: string): boolean => argon2.needsRehash(hash, options),
  }
}
