import { type Page, type Platform, timeoutSignal } from './platform.ts'

/**
 * Milliseconds after which the holder counts as frozen: longer than the requests of two tabs take
 * that hold the lock one after the other and get no response.
 */
const LOCK_TIMEOUT = 25_000

/**
 * Runs work while no other tab does. `waited` is true if another tab held the lock before this one.
 */
export type RefreshLock = <T>(work: (waited: boolean) => Promise<T>) => Promise<T>

/**
 * Creates the lock of the tabs for login, logout and refresh. A tab that is killed releases it. A
 * frozen tab does not, so the others stop waiting for it after a timeout. Two tabs that refresh at
 * once, or without locks, do no harm: they send the same refresh token with the same retry key.
 */
export function createRefreshLock(platform: Platform, page: Page, name: string): RefreshLock {
  const locks = page.navigator?.locks
  return async <T>(work: (waited: boolean) => Promise<T>) => {
    if (!locks) return work(false)
    let running: Promise<T> | undefined
    const signal = timeoutSignal(platform, LOCK_TIMEOUT)
    for (const options of [{ ifAvailable: true }, { signal }, { steal: true }]) {
      // Work that has begun goes on even if the lock is lost, because its result is what counts.
      const run = (lock: unknown) => {
        if (lock) running = work(!options.ifAvailable)
        return running
      }
      if (!running) await locks.request(name, options, run).catch(() => {})
    }
    return running ?? work(true)
  }
}
