import type { Log } from '../common/log.ts'
import type { Checkpoint, SessionRecords } from './session-records.ts'

/** Milliseconds between two writes. */
const INTERVAL = 5_000
/** Sessions in one statement. */
const BATCH = 1_000
/** Sessions that may wait while Postgres is away. More go without: a later token is proof of its own generation. */
const MOST_WAITING = 100_000

export type Checkpoints = ReturnType<typeof createCheckpoints>

/**
 * Tells Postgres every few seconds how far sessions have come, so that no refresh waits for it. A checkpoint may be
 * late or missing: it saves a spent token from being taken for the newest one, should the hot state be lost.
 */
export function createCheckpoints(records: Pick<SessionRecords, 'checkpoint'>, log: Log) {
  let waiting = new Map<string, Checkpoint>()
  let timer: NodeJS.Timeout | undefined
  let writing = Promise.resolve()

  async function write(): Promise<void> {
    const taken = [...waiting]
    waiting = new Map()
    while (taken.length > 0) {
      const batch = taken.slice(0, BATCH)
      try {
        await records.checkpoint(new Map(batch))
      } catch (error) {
        const reason = error instanceof Error ? error.message : 'unknown'
        log.warn(
          { event: 'checkpoint_failed', sessions: taken.length, reason },
          'checkpoints wait for Postgres',
        )
        // What came in since is newer.
        waiting = new Map([...taken, ...waiting])
        return
      }
      taken.splice(0, batch.length)
    }
  }

  /** One after the other: two statements over the same rows could wait for each other. */
  function flush(): Promise<void> {
    writing = writing.then(write)
    return writing
  }

  return {
    flush,

    note(sessionId: string, checkpoint: Checkpoint): void {
      if (waiting.size < MOST_WAITING || waiting.has(sessionId)) waiting.set(sessionId, checkpoint)
    },

    start(): void {
      timer = setInterval(flush, INTERVAL)
      timer.unref()
    },

    /** Writes what is left. */
    async stop(): Promise<void> {
      clearInterval(timer)
      await flush()
    },
  }
}
