import { errorText } from './error-text.ts'
import type { Log } from './log.ts'
import { createWorker, type Worker } from './worker.ts'

/** Milliseconds between two rounds. */
const INTERVAL = 600_000
/** Milliseconds until the next round if rows may be left to delete. */
const PAUSE = 100

/** Deletes a limited number of old rows, and returns how many it deleted. */
export type CleanupTask = () => Promise<number>

/**
 * Creates a worker that deletes old rows, a few at a time. Every node runs it. Nodes skip the rows
 * that another one is deleting.
 */
export function createCleanupWorker(tasks: readonly CleanupTask[], log: Log): Worker {
  async function clean(): Promise<number | undefined> {
    try {
      let deleted = 0
      for (const task of tasks) deleted += await task()
      return deleted > 0 ? PAUSE : undefined
    } catch (error) {
      const reason = errorText(error)
      log.warn({ event: 'retention_failed', reason }, 'old rows could not be deleted')
      return undefined
    }
  }

  return createWorker({ interval: INTERVAL, firstDelay: 0, work: clean })
}
