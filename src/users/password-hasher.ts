import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import argon2 from 'argon2'
import { PawlError } from '../errors.ts'
import { createHashQueue } from './hash-queue.ts'

export interface HashSettings {
  argon2MemoryKib: number
  argon2Time: number
  argon2Parallelism: number
}

/** Maximum number of waiting hashes per running one: about two seconds of work by default. */
const MAX_WAITING_PER_RUNNING = 32
/** Milliseconds that a hash waits for its turn. */
const MAX_WAIT = 3_000

export type PasswordHasher = Awaited<ReturnType<typeof createPasswordHasher>>

/**
 * Creates a hasher that runs argon2id (RFC 9106). It runs a limited number of hashes at the same
 * time and lets a limited number wait, for a limited time. Beyond that its methods reject with
 * `AUTH_OVERLOADED`, because a client that waits too long gives up before the response arrives.
 *
 * The clients of each group of addresses share one place in the queue, so a flood of logins from
 * one of them does not displace the logins of others. `groupOf` returns the group of an address.
 */
export async function createPasswordHasher(
  {
    argon2MemoryKib: memoryCost,
    argon2Time: timeCost,
    argon2Parallelism: parallelism,
  }: HashSettings,
  groupOf: (ip: string) => string = (ip) => ip,
) {
  const options = { type: argon2.argon2id, memoryCost, timeCost, parallelism }
  // One hash keeps one core busy, so more at the same time would only wait for each other.
  const concurrency = availableParallelism()
  const queue = createHashQueue({
    concurrency,
    maxWaiting: concurrency * MAX_WAITING_PER_RUNNING,
    maxWait: MAX_WAIT,
    refusal: () => new PawlError('AUTH_OVERLOADED'),
  })
  /** Is verified if a user does not exist, so that this takes as long as for one who does. */
  const dummy = await argon2.hash(randomBytes(32), options)

  return {
    /** Number of hashes that run at the same time. */
    concurrency,

    /** Returns a PHC string. `ip` is the address of the client that waits for it. */
    hash: (password: string, ip = ''): Promise<string> =>
      queue.run(groupOf(ip), () => argon2.hash(password, options)),

    /**
     * Returns whether the hash is that of the password. Without a hash it takes the same work. `ip`
     * is the address of the client that waits for it.
     */
    async verify(hash: string | null | undefined, password: string, ip = ''): Promise<boolean> {
      const verify = (known: string) => queue.run(groupOf(ip), () => argon2.verify(known, password))
      const matches = await verify(hash ?? dummy)
      // A hash with earlier, cheaper parameters would be quicker and so reveal that a user exists.
      if (!matches && hash && argon2.needsRehash(hash, options)) await verify(dummy)
      return matches && typeof hash === 'string'
    },

    /** Returns whether the hash was made with other parameters than the configured ones. */
    isOutdated: (hash: string): boolean => argon2.needsRehash(hash, options),
  }
}
