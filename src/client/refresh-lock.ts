import type { LockOptions, Locks, Platform, TokenStorage } from './platform.ts'
import { randomId } from './stored-session.ts'

/** Milliseconds after which the holder counts as frozen: longer than a request may take. */
const LOCK_TIMEOUT = 12_000
/** Milliseconds until an entry that another tab wrote is visible here. */
const STORAGE_DELAY = 30

/**
 * Runs work while no other tab does. `waited` is true if another tab held the lock before this one.
 */
export type RefreshLock = <T>(work: (waited: boolean) => Promise<T>) => Promise<T>

/**
 * Creates the lock of the tabs for login, logout and refresh. A tab that is killed releases it. A
 * frozen tab does not, so the others stop waiting for it after a timeout. Two tabs that work at
 * once do no harm, because they send the same refresh token with the same retry key.
 */
export function createRefreshLock(
  platform: Platform,
  storage: TokenStorage | undefined,
  name: string,
): RefreshLock {
  const { locks } = platform
  return locks
    ? createWebLock(platform, locks, name)
    : createStorageLease(platform, storage, `${name} lock`)
}

function createWebLock({ timeoutSignal }: Platform, locks: Locks, name: string): RefreshLock {
  return async <T>(work: (waited: boolean) => Promise<T>) => {
    let running: Promise<T> | undefined
    // Work that has begun goes on even if the lock is lost, because its result is what counts.
    const attempt = (options: LockOptions, waited: boolean) =>
      locks
        .request(name, options, (lock) => {
          if (lock) running = work(waited)
          return running
        })
        .catch(() => {})
    await attempt({ ifAvailable: true }, false)
    if (!running) await attempt({ signal: timeoutSignal(LOCK_TIMEOUT) }, true)
    if (!running) await attempt({ steal: true }, true)
    return running ?? work(true)
  }
}

/** Replaces Web Locks by an entry in the storage that names the holder and the time of expiry. */
function createStorageLease(
  { wall, sleep }: Platform,
  storage: TokenStorage | undefined,
  name: string,
): RefreshLock {
  return async (work) => {
    if (!storage) return work(false)
    const holder = randomId()
    let waited = false
    const isHeld = async () => (await storage.getItem(name))?.startsWith(holder)
    for (let round = 0; round * STORAGE_DELAY < LOCK_TIMEOUT && !(await isHeld()); round++) {
      const left = Number((await storage.getItem(name))?.split(' ')[1] ?? 0) - wall()
      // No lease is longer than the timeout. If one seems to be, the clock was set.
      if (left <= 0 || left > LOCK_TIMEOUT)
        await storage.setItem(name, `${holder} ${wall() + LOCK_TIMEOUT}`)
      else waited = true
      await sleep(STORAGE_DELAY)
    }
    try {
      return await work(waited)
    } finally {
      if (await isHeld()) await storage.setItem(name, '')
    }
  }
}
