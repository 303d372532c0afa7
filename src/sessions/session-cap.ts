import type { Log } from '../common/log.ts'
import type { Revoker } from '../revocation/revoker.ts'

export interface SessionCapOptions {
  revoker: Pick<Revoker, 'revokeSessions'>
  log: Log
}

/**
 * Revokes the sessions that the hot state evicted to make room for another one. Revoking also
 * removes them from the hot state once more, because another request may have re-opened one.
 */
export async function revokeEvicted(
  userId: string,
  evicted: readonly string[],
  { revoker, log }: SessionCapOptions,
): Promise<void> {
  if (evicted.length === 0) return
  log.info({ event: 'sessions_evicted', userId, sessions: evicted }, 'session cap reached')
  const sessions = evicted.map((sessionId) => ({ userId, sessionId }))
  await revoker.revokeSessions(sessions, 'session_cap')
}
