import type { Log } from '../common/log.ts'
import type { Revoker } from '../revocation/revoker.ts'
import type { SessionRef } from './session.ts'
import type { SessionRecords } from './session-records.ts'

export interface SessionCapOptions {
  records: Pick<SessionRecords, 'findBeyond'>
  revoker: Pick<Revoker, 'revokeSessions'>
  /** Maximum number of sessions of a user. */
  maxSessionsPerUser: number
  /** Milliseconds. */
  refreshIdleTtl: number
  /** Returns milliseconds since 1970. */
  clock: () => number
  log: Log
}

export type SessionCap = ReturnType<typeof createSessionCap>

/** Creates what revokes the least recently used sessions of a user who has too many. */
export function createSessionCap(options: SessionCapOptions) {
  const { records, revoker, maxSessionsPerUser, refreshIdleTtl, clock, log } = options

  async function revoke(userId: string, sessions: readonly string[]): Promise<void> {
    if (sessions.length === 0) return
    log.info({ event: 'sessions_evicted', userId, sessions }, 'session cap reached')
    const refs = sessions.map((sessionId) => ({ userId, sessionId }))
    await revoker.revokeSessions(refs, 'session_cap')
  }

  return {
    /**
     * Revokes the sessions that the hot state evicted to make room for `opened`. Revoking also
     * removes them from the hot state once more, because another request may have re-opened one.
     *
     * Then it counts in Postgres and revokes those that are still too many: the hot state does not
     * count the sessions that it lost.
     */
    async enforce({ userId, sessionId: opened }: SessionRef, evicted: string[]): Promise<void> {
      await revoke(userId, evicted)
      const limits = { max: maxSessionsPerUser, refreshIdleTtl }
      await revoke(userId, await records.findBeyond(limits, userId, opened, clock()))
    },
  }
}
