import { errorText } from '../common/error-text.ts'
import type { Log } from '../common/log.ts'
import { createWorker } from '../common/worker.ts'
import type { Checkpoint, CheckpointRecords } from './checkpoint-records.ts'
import type { LostSessions } from './lost-sessions.ts'

/** Milliseconds between two writes. */
const INTERVAL = 5_000
/** Maximum number of sessions in one statement. */
const BATCH_SIZE = 1_000
/**
 * Maximum number of sessions that wait while Postgres is unavailable. Beyond this limit a session
 * gets no checkpoint, which is safe: a later token is proof of its own generation.
 */
const MAX_WAITING = 100_000

export type Checkpoints = ReturnType<typeof createCheckpoints>

/**
 * Creates the worker that writes the generations of sessions to Postgres every few seconds, so that
 * no refresh has to wait for Postgres. A checkpoint may be late or missing. If the hot state is
 * lost, it keeps a spent token from being taken for the newest one.
 */
export function createCheckpoints(
  records: CheckpointRecords,
  lostSessions: Pick<LostSessions, 'settle'>,
  log: Log,
) {
  let waiting = new Map<string, Checkpoint>()

  /** Keeps checkpoints for the next write. Those noted in the meantime are newer, so they win. */
  function keep(checkpoints: Iterable<[string, Checkpoint]>): void {
    waiting = new Map([...checkpoints, ...waiting])
  }

  async function write(): Promise<undefined> {
    const unwritten = [...waiting]
    waiting = new Map()
    while (unwritten.length > 0) {
      const batch = unwritten.slice(0, BATCH_SIZE)
      try {
        const missing = new Set(await records.save(new Map(batch)))
        if (missing.size > 0)
          keep(await lostSessions.settle(new Map(batch.filter(([id]) => missing.has(id)))))
      } catch (error) {
        const reason = errorText(error)
        log.warn(
          { event: 'checkpoint_failed', sessions: unwritten.length, reason },
          'checkpoints wait for Postgres',
        )
        keep(unwritten)
        return
      }
      unwritten.splice(0, batch.length)
    }
  }

  // One write at a time: two statements that update the same rows could deadlock.
  const worker = createWorker({ interval: INTERVAL, work: write })

  return {
    start: worker.start,

    /** Notes how far a session has come. It is written with the next batch. */
    note(sessionId: string, checkpoint: Checkpoint): void {
      if (waiting.size < MAX_WAITING || waiting.has(sessionId)) waiting.set(sessionId, checkpoint)
    },

    /** Stops the worker and writes the remaining checkpoints. */
    async stop(): Promise<void> {
      await worker.stop()
      await write()
    },
  }
}
