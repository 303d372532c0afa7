import type { Locks, TokenStorage } from './platform.ts'
import { randomId } from './stored-session.ts'

/** Milliseconds after which a lock expires: longer than a request may take. */
const LOCK_TTL = 12_000
/** Milliseconds until an entry that another tab wrote is visible here. */
const STORAGE_DELAY = 30

export interface StorageLockOptions {
  /** Returns milliseconds since 1970. */
  wall?: () => number
  sleep?: (ms: number) => Promise<unknown>
}

/**
 * Creates locks for a web view that has no Web Locks: an entry in the storage names the holder and
 * the time of expiry. The client works without them, but its tabs then refresh at the same time.
 */
export function createStorageLocks(
  storage: TokenStorage,
  {
    wall = Date.now,
    sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  }: StorageLockOptions = {},
): Locks {
  return {
    async request(lockName, { ifAvailable, steal, signal }, work) {
      const name = `${lockName} lock`
      const holder = randomId(globalThis)
      const isHeld = async () => (await storage.getItem(name))?.startsWith(`${holder} `)
      while (!(await isHeld())) {
        const left = Number((await storage.getItem(name))?.split(' ')[1] ?? 0) - wall()
        // No lock lasts longer than the limit. If one seems to, the clock was set.
        const isFree = steal || left <= 0 || left > LOCK_TTL
        if (isFree) await storage.setItem(name, `${holder} ${wall() + LOCK_TTL}`)
        else if (ifAvailable) return await work(null)
        else if (signal?.aborted) throw signal.reason
        await sleep(STORAGE_DELAY)
      }
      try {
        return await work({ name })
      } finally {
        if (await isHeld()) await storage.setItem(name, '')
      }
    },
  }
}
