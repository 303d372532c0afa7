import type { Log } from '../common/log.ts'
import type { Revoker } from '../revocation/revoker.ts'
import type { Checkpoint } from './checkpoint-records.ts'
import type { LostSession, LostSessionRecords } from './lost-session-records.ts'
import type { SessionStore } from './session-store.ts'

/** Maximum number of sessions that are looked up in the hot state at the same time. */
const CONCURRENCY = 100

export interface LostSessionsOptions {
  records: LostSessionRecords
  store: Pick<SessionStore, 'find'>
  revoker: Pick<Revoker, 'revokeSessions'>
  /** Returns whether a session is revoked, as far as this node knows. */
  isRevoked: (sessionId: string) => boolean
  log: Log
}

export type LostSessions = ReturnType<typeof createLostSessions>

/**
 * Creates what settles sessions whose rows Postgres has lost, by an asynchronous fail-over or a
 * restore, and that the hot state still has. If the user exists, the row is inserted again. If not,
 * the session ends, because Postgres could never re-open it.
 */
export function createLostSessions(options: LostSessionsOptions) {
  const { records, store, revoker, isRevoked, log } = options

  /** Returns the session if it is live. A session that has ended needs no row. */
  async function findLive([sessionId, checkpoint]: [string, Checkpoint]): Promise<LostSession[]> {
    if (isRevoked(sessionId)) return []
    const status = await store.find(checkpoint.userId, sessionId)
    if (status === undefined || status === 'condemned') return []
    return [{ sessionId, checkpoint, status }]
  }

  async function end(sessions: readonly LostSession[]): Promise<void> {
    const refs = sessions.map(({ sessionId, checkpoint: { userId } }) => ({ userId, sessionId }))
    await revoker.revokeSessions(refs, 'user_deleted')
    log.warn(
      { event: 'sessions_without_user', sessions: sessions.length },
      'Postgres has lost the users of sessions: the sessions are revoked',
    )
  }

  return {
    /**
     * Settles sessions that have no row in Postgres. Returns those that have to wait, because a
     * change of their user is about to reach the hot state. Rejects with `AUTH_UNAVAILABLE` if a
     * store is unavailable, and can be repeated.
     */
    async settle(missing: ReadonlyMap<string, Checkpoint>): Promise<Map<string, Checkpoint>> {
      const waiting = new Map<string, Checkpoint>()
      const entries = [...missing]
      for (let start = 0; start < entries.length; start += CONCURRENCY) {
        const found = await Promise.all(entries.slice(start, start + CONCURRENCY).map(findLive))
        const live = found.flat()
        if (live.length === 0) continue
        const outcomes = await records.insert(live)
        const having = (outcome: string) =>
          live.filter(({ sessionId }) => outcomes.get(sessionId) === outcome)
        const [inserted, ended] = [having('inserted'), having('user_missing')]
        for (const { sessionId, checkpoint } of having('user_changed'))
          waiting.set(sessionId, checkpoint)
        if (ended.length > 0) await end(ended)
        if (inserted.length > 0)
          log.warn(
            { event: 'sessions_restored', sessions: inserted.length },
            'Postgres had lost sessions: their rows are inserted again',
          )
      }
      return waiting
    },
  }
}
