import { errorText } from '../common/error-text.ts'
import type { Log } from '../common/log.ts'
import { createWorker } from '../common/worker.ts'
import type { Revoker } from '../revocation/revoker.ts'
import type { Checkpoint, CheckpointRecords } from './checkpoint-records.ts'

/** Milliseconds between two writes. */
const INTERVAL = 5_000
/** Maximum number of sessions in one statement. */
const BATCH_SIZE = 1_000
/**
 * Maximum number of sessions that wait while Postgres is unavailable. Beyond this limit a session
 * gets no checkpoint, which is safe: a later token is proof of its own generation.
 */
const MAX_WAITING = 100_000

export interface CheckpointsOptions {
  records: CheckpointRecords
  revoker: Pick<Revoker, 'revokeSessions'>
  /** Returns whether a session is revoked, as far as this node knows. */
  isSessionRevoked: (sessionId: string) => boolean
  /** The longest life of a session, in milliseconds. */
  sessionMaxTtl: number
  log: Log
}

export type Checkpoints = ReturnType<typeof createCheckpoints>

/**
 * Creates the worker that writes the generations of sessions to Postgres every few seconds, so that
 * no refresh has to wait for Postgres. A checkpoint may be late or missing. If the hot state is
 * lost, it keeps a spent token from being taken for the newest one.
 *
 * A session that is refreshed and has no row was lost by Postgres. Its row is inserted again, or
 * the session is revoked if its user was lost, too.
 */
export function createCheckpoints(options: CheckpointsOptions) {
  const { records, revoker, isSessionRevoked, sessionMaxTtl, log } = options
  let waiting = new Map<string, Checkpoint>()

  async function save(batch: ReadonlyMap<string, Checkpoint>): Promise<void> {
    const lost = (await records.save(batch)).filter((sessionId) => !isSessionRevoked(sessionId))
    if (lost.length === 0) return
    const checkpoints = new Map([...batch].filter(([sessionId]) => lost.includes(sessionId)))
    const restored = await records.restore(checkpoints, sessionMaxTtl)
    const refs = [...checkpoints]
      .map(([sessionId, { userId }]) => ({ sessionId, userId }))
      .filter(({ sessionId }) => !restored.includes(sessionId))
    log.warn(
      { event: 'sessions_lost', restored: restored.length, revoked: refs.length },
      'Postgres had no row of sessions that are in use',
    )
    if (refs.length > 0) await revoker.revokeSessions(refs, 'user_deleted')
  }

  async function write(): Promise<undefined> {
    const unwritten = [...waiting]
    waiting = new Map()
    while (unwritten.length > 0) {
      const batch = unwritten.slice(0, BATCH_SIZE)
      try {
        await save(new Map(batch))
      } catch (error) {
        const reason = errorText(error)
        log.warn(
          { event: 'checkpoint_failed', sessions: unwritten.length, reason },
          'checkpoints wait for Postgres',
        )
        // Checkpoints noted in the meantime are newer, so they go last and win.
        waiting = new Map([...unwritten, ...waiting])
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
