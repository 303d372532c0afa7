import type { RefreshClaims } from './refresh-token.ts'
import type { SessionRecords } from './session-records.ts'
import type { Opened, SessionStore } from './session-store.ts'

/** How many sessions are remembered as ended, so that presenting their tokens again does not cost a query each time. */
const MOST_REMEMBERED = 10_000

/**
 * Goes on with sessions that the hot state has lost and Postgres knows are alive. `onEvicted` hears of sessions that
 * had to make room.
 */
export function createReopening(
  store: SessionStore,
  records: Pick<SessionRecords, 'whileAlive'>,
  clock: () => number,
  onEvicted: (userId: string, opened: Opened) => Promise<void>,
) {
  /** The dead do not come back, so that what stands here stays true. */
  const dead = new Set<string>()
  const underway = new Map<string, Promise<boolean>>()

  function remember(sessionId: string): void {
    const [oldest] = dead.size >= MOST_REMEMBERED ? dead : []
    if (oldest) dead.delete(oldest)
    dead.add(sessionId)
  }

  async function open({ sid: sessionId, gen }: RefreshClaims): Promise<boolean> {
    let made: { userId: string; opened: Opened } | undefined
    const alive = await records.whileAlive(sessionId, clock(), async (session) => {
      const { userId, expiresAt: absoluteExpiry, ver, roles } = session
      // We signed the token: there was such a generation, whatever the checkpoint has seen.
      const generation = Math.max(gen, session.generation)
      const authorization = { ver, roles }
      const opened = await store.open({ userId, sessionId, absoluteExpiry, authorization, generation })
      made = { userId, opened }
    })
    if (!alive) remember(sessionId)
    if (made) await onEvicted(made.userId, made.opened)
    return alive
  }

  /** Answers whether the session is alive, and open again. Many requests for one session are one query. */
  return async function reopen(claims: RefreshClaims): Promise<boolean> {
    if (dead.has(claims.sid)) return false
    const pending = underway.get(claims.sid) ?? open(claims).finally(() => underway.delete(claims.sid))
    underway.set(claims.sid, pending)
    return pending
  }
}
