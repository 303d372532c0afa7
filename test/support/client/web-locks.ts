import type { LockOptions, Locks } from '../../../src/client/platform.ts'

interface HeldLock {
  release: () => void
  rejected: (error: Error) => void
}

/** Simulates the Web Locks of a browser. Each tab has a view of its own. */
export function createWebLocks() {
  const holders = new Map<string, HeldLock>()
  const waiting = new Map<string, (() => void)[]>()

  function passOn(name: string): void {
    const next = waiting.get(name)?.shift()
    if (next) holders.set(name, { release() {}, rejected() {} })
    else holders.delete(name)
    next?.()
  }

  function waitFor(name: string, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const queue = waiting.get(name) ?? []
      waiting.set(name, queue)
      queue.push(resolve)
      signal?.addEventListener('abort', () => {
        if (!queue.includes(resolve)) return
        queue.splice(queue.indexOf(resolve), 1)
        reject(signal.reason)
      })
    })
  }

  /** Returns the locks of one tab, and a function that releases all that the tab holds. */
  function forTab(isStopped: () => boolean): Locks & { releaseAll(): void } {
    const own = new Set<HeldLock>()

    function hold(name: string, work: (lock: unknown) => unknown): Promise<unknown> {
      return new Promise((resolve, reject) => {
        const lock: HeldLock = {
          rejected: reject,
          release() {
            own.delete(lock)
            if (holders.get(name) === lock) passOn(name)
          },
        }
        holders.set(name, lock)
        own.add(lock)
        Promise.resolve(work({ name }))
          .finally(() => lock.release())
          .then(resolve, reject)
      })
    }

    return {
      async request(name: string, options: LockOptions, work: (lock: unknown) => unknown) {
        const held = holders.get(name)
        if (held && options.ifAvailable) return await work(null)
        if (held && options.steal) held.rejected(new DOMException('stolen', 'AbortError'))
        else if (held) await waitFor(name, options.signal)
        if (!isStopped()) return await hold(name, work)
        passOn(name)
        return await new Promise<never>(() => {})
      },
      releaseAll() {
        for (const lock of own) lock.release()
      },
    }
  }

  return { forTab }
}
