import type { Log } from '../common/log.ts'
import { unavailable } from '../errors.ts'
import type { Revoker } from '../revocation/revoker.ts'
import { conflicts } from '../users/user-change-records.ts'
import type { PresentedToken } from './rotation.ts'
import type { SessionRef } from './session.ts'
import type { SessionCap } from './session-cap.ts'
import type { LiveSession, SessionRecords } from './session-records.ts'
import type { OpenResult, RotationResult, SessionStore } from './session-store.ts'

/**
 * Maximum number of sessions that are remembered as not live, so that presenting their tokens again
 * does not cost a query each time.
 */
const MAX_REMEMBERED = 10_000

/**
 * Maximum number of times that one refresh re-opens its session. The hot state may be lost again
 * during the re-opening.
 */
const MAX_REOPENINGS = 3

/** Milliseconds after which a refresh that has to re-open its session is given up. */
const REFRESH_DEADLINE = 5_000

export interface SessionReopenerOptions {
  store: Pick<SessionStore, 'open' | 'rotate'>
  records: Pick<SessionRecords, 'withLiveSession'>
  revoker: Pick<Revoker, 'announceRevoked' | 'settleVersion'>
  cap: SessionCap
  /** Returns milliseconds since 1970. */
  clock: () => number
  log: Log
}

/** A refresh token that is presented: its session, its generation and its own expiry. */
export interface RefreshAttempt extends SessionRef, PresentedToken {
  /** Milliseconds since 1970. */
  tokenExpiresAt: number
}

/** Creates what re-opens sessions that the hot state has lost and that Postgres knows as live. */
export function createSessionReopener(options: SessionReopenerOptions) {
  const { store, records, revoker, cap, clock, log } = options
  /** Ids of sessions that are not live. Such a session never becomes live again. */
  const dead = new Set<string>()
  const inFlight = new Map<string, Promise<boolean>>()

  function rememberDead(sessionId: string): void {
    const [oldest] = dead.size >= MAX_REMEMBERED ? dead : []
    if (oldest) dead.delete(oldest)
    dead.add(sessionId)
  }

  async function openFromRecords(attempt: RefreshAttempt): Promise<boolean> {
    const { sessionId, generation: presented } = attempt
    let reopened: { session: LiveSession; opened: OpenResult } | undefined
    const isLive = await records.withLiveSession(sessionId, clock(), async (session) => {
      const { userId, expiresAt: absoluteExpiry, ver, roles } = session
      // We signed the token, so that generation existed, whatever the checkpoint says.
      const generation = Math.max(presented, session.generation)
      // A token one generation behind may be the retry of a lost response. Its key is stored with
      // the session, so the retry succeeds even if this process dies before it rotates.
      const retryKey = generation === presented + 1 ? attempt.retryKey : null
      const authorization = { ver, roles }
      const opened = await store.open({
        userId,
        sessionId,
        absoluteExpiry,
        authorization,
        generation,
        retryKey,
      })
      reopened = { session, opened }
    })
    if (!isLive) {
      // The process that revoked it may have died before it published that. This client is refused
      // now, so every other node must refuse it, too.
      await revoker.announceRevoked([sessionId])
      rememberDead(sessionId)
    }
    if (reopened) {
      const { session, opened } = reopened
      const { userId } = session
      log.info({ event: 'reopened', userId, sessionId }, 'the hot state had lost a session')
      if (conflicts(opened.authorization, session))
        await revoker.settleVersion(userId, opened.authorization)
      await cap.enforce({ userId, sessionId }, opened.evicted)
    }
    return isLive
  }

  /**
   * Re-opens a session if it is live, and returns whether it is. All attempts of one session that
   * come at the same time share one query.
   */
  async function reopen(attempt: RefreshAttempt): Promise<boolean> {
    const { sessionId, tokenExpiresAt } = attempt
    // A token past its own expiry shows that the session was idle for too long.
    if (dead.has(sessionId) || clock() >= tokenExpiresAt) return false
    const pending =
      inFlight.get(sessionId) ?? openFromRecords(attempt).finally(() => inFlight.delete(sessionId))
    inFlight.set(sessionId, pending)
    return pending
  }

  return {
    /**
     * Presents a refresh token to the hot state and re-opens the session if it was lost. The
     * outcome is `unknown` only if the session is not live. Rejects with `AUTH_UNAVAILABLE` if that
     * cannot be found out in time.
     */
    async rotate(attempt: RefreshAttempt): Promise<RotationResult> {
      const { userId, sessionId, generation, retryKey } = attempt
      const present = () => store.rotate(userId, sessionId, { generation, retryKey })
      const startedAt = performance.now()
      let result = await present()
      for (let count = 0; result.outcome === 'unknown' && count < MAX_REOPENINGS; count++) {
        if (!(await reopen(attempt))) return result
        // The client may have given up by now and refreshed twice at another node. Presented this
        // late, its token would look like a stolen one.
        if (performance.now() - startedAt > REFRESH_DEADLINE) throw unavailable('Postgres')
        result = await present()
      }
      if (result.outcome !== 'unknown') return result
      // The session is live but was lost again each time. A refusal would log out an honest client.
      throw unavailable('the hot state')
    },
  }
}
