import { PawlError } from '../errors.ts'
import { errorText } from './error-text.ts'
import type { Log } from './log.ts'

/** Tasks that may wait. Beyond that a request is refused, whatever it asks for. */
const MAX_WAITING = 1_000

/**
 * Creates a queue for work that starts when the response to a request is on its way, so that its
 * time reveals nothing. One task runs at a time. A task that fails is logged under `event`.
 */
export function createBackgroundTasks(event: string, log: Log) {
  let waiting = 0
  let last: Promise<void> = Promise.resolve()

  async function attempt(task: () => Promise<void>): Promise<void> {
    try {
      await task()
    } catch (error) {
      log.warn({ event, reason: errorText(error) }, 'work after a response failed')
    } finally {
      waiting--
    }
  }

  return {
    /** Queues a task and returns at once. Throws `AUTH_OVERLOADED` if too many tasks wait. */
    add(task: () => Promise<void>): void {
      if (waiting >= MAX_WAITING) throw new PawlError('AUTH_OVERLOADED')
      waiting++
      last = Promise.all([last, new Promise(setImmediate)]).then(() => attempt(task))
    },

    /** Resolves when every task is done. */
    finish: (): Promise<void> => last,
  }
}

export type BackgroundTasks = ReturnType<typeof createBackgroundTasks>
