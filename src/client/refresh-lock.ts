import type { LockOptions, Locks, Platform } from './platform.ts'
import { newKey } from './stored-session.ts'
import type { TokenStorage } from './types.ts'

/** Milliseconds that a call may take. */
export const CALL_LIMIT = 10_000
/** Milliseconds after which whoever holds the lock is taken for frozen: longer than a call. */
export const LOCK_LIMIT = 12_000
/** Milliseconds for another tab's entry to become visible here. */
const SETTLE = 30

/** Does work that no other tab does at the same time; `waited` says whether one did before. */
export type InTurn = <T>(work: (waited: boolean) => Promise<T>) => Promise<T>

/**
 * A tab that is killed gives the lock back; one that is frozen does not, and is passed over in the end. Two tabs that work at
 * once do no harm: they send the same token with the same key.
 */
export function createTurns(
  platform: Platform,
  storage: TokenStorage | undefined,
  name: string,
): InTurn {
  const { locks } = platform
  return locks ? byLock(platform, locks, name) : byLease(platform, storage, `${name} lock`)
}

function byLock({ limit }: Platform, locks: Locks, name: string): InTurn {
  return async <T>(work: (waited: boolean) => Promise<T>) => {
    let running: Promise<T> | undefined
    // Whatever becomes of the lock, work that has begun goes on: its answer is what counts.
    const attempt = (options: LockOptions, waited: boolean) =>
      locks
        .request(name, options, (lock) => {
          if (lock) running = work(waited)
          return running
        })
        .catch(() => {})
    await attempt({ ifAvailable: true }, false)
    if (!running) await attempt({ signal: limit(LOCK_LIMIT) }, true)
    if (!running) await attempt({ steal: true }, true)
    return running ?? work(true)
  }
}

/** Where there are no locks: an entry in the storage that says who may, and until when. */
function byLease(
  { wall, sleep }: Platform,
  storage: TokenStorage | undefined,
  name: string,
): InTurn {
  return async (work) => {
    if (!storage) return work(false)
    const mine = newKey()
    let waited = false
    const isMine = async () => (await storage.getItem(name))?.startsWith(mine)
    for (let round = 0; round * SETTLE < LOCK_LIMIT && !(await isMine()); round++) {
      const left = Number((await storage.getItem(name))?.split(' ')[1] ?? 0) - wall()
      // Longer than anybody takes it for: the clock was set.
      if (left <= 0 || left > LOCK_LIMIT)
        await storage.setItem(name, `${mine} ${wall() + LOCK_LIMIT}`)
      else waited = true
      await sleep(SETTLE)
    }
    try {
      return await work(waited)
    } finally {
      if (await isMine()) await storage.setItem(name, '')
    }
  }
}
