import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import argon2 from 'argon2'
import pLimit from 'p-limit'
import { PawlError } from '../errors.ts'

export interface HashSettings {
  argon2MemoryKib: number
  argon2Time: number
  argon2Parallelism: number
}

/** Maximum number of waiting hashes per running one: about two seconds of work by default. */
const MAX_WAITING_PER_RUNNING = 32

export type PasswordHasher = Awaited<ReturnType<typeof createPasswordHasher>>

/**
 * Creates a hasher that runs argon2id (RFC 9106). It runs a limited number of hashes at the same
 * time and lets a limited number wait. Beyond that its methods reject with `AUTH_OVERLOADED` at
 * once, because a client that waits too long gives up before the response arrives.
 */
export async function createPasswordHasher({
  argon2MemoryKib: memoryCost,
  argon2Time: timeCost,
  argon2Parallelism: parallelism,
}: HashSettings) {
  const options = { type: argon2.argon2id, memoryCost, timeCost, parallelism }
  // One hash keeps one core busy, so more at the same time would only wait for each other.
  const concurrency = availableParallelism()
  const limit = pLimit(concurrency)
  /** Is verified if a user does not exist, so that this takes as long as for one who does. */
  const dummy = await argon2.hash(randomBytes(32), options)

  function enqueue<T>(work: () => Promise<T>): Promise<T> {
    if (limit.pendingCount >= concurrency * MAX_WAITING_PER_RUNNING)
      throw new PawlError('AUTH_OVERLOADED')
    return limit(work)
  }

  return {
    /** Number of hashes that run at the same time. */
    concurrency,

    /** Returns a PHC string. */
    hash: async (password: string): Promise<string> =>
      enqueue(() => argon2.hash(password, options)),

    /** Returns whether the hash is that of the password. An undefined hash takes the same work. */
    async verify(hash: string | undefined, password: string): Promise<boolean> {
      const matches = await enqueue(() => argon2.verify(hash ?? dummy, password))
      // A hash with earlier, cheaper parameters would be quicker and so reveal that a user exists.
      if (!matches && hash && argon2.needsRehash(hash, options))
        await enqueue(() => argon2.verify(dummy, password))
      return matches && hash !== undefined
    },

    /** Returns whether the hash was made with other parameters than the configured ones. */
    isOutdated: (hash: string): boolean => argon2.needsRehash(hash, options),
  }
}
