import type { Log } from '../common/log.ts'
import { unavailable } from '../errors.ts'
import type { Revoker } from '../revocation/revoker.ts'
import type { RefreshClaims } from '../tokens/refresh-token.ts'
import type { Device, SessionRecords } from './session-records.ts'
import type { NewSession, Opened, Rotation, SessionStore } from './session-store.ts'

/** How many sessions are remembered as ended, so that presenting their tokens again does not cost a query each time. */
const MOST_REMEMBERED = 10_000

/** How often a session is opened again within one refresh: the hot state may be lost while that goes on. */
const MOST_LOSSES = 3
/** Milliseconds after which a refresh that waits for Postgres is given up. */
const REFRESH_LIMIT = 5_000

export interface OpeningOptions {
  store: SessionStore
  records: Pick<SessionRecords, 'insert' | 'whileAlive' | 'revoke'>
  revoker: Pick<Revoker, 'revokeSessions' | 'announceRevoked'>
  clock: () => number
  log: Log
}

export type Opening = ReturnType<typeof createOpening>

/** How sessions get into the hot state: new ones, and those that it has lost and Postgres knows are alive. */
export function createOpening({ store, records, revoker, clock, log }: OpeningOptions) {
  /** The dead do not come back, so that what stands here stays true. */
  const dead = new Set<string>()
  const underway = new Map<string, Promise<boolean>>()

  /** The store has let go of them to make room. Closed once more: one may have been opened again in between. */
  async function endEvicted(userId: string, { evicted }: Opened): Promise<void> {
    if (evicted.length === 0) return
    log.info({ event: 'sessions_evicted', userId, sessions: evicted }, 'session cap reached')
    await revoker.revokeSessions(
      evicted.map((sessionId) => ({ userId, sessionId })),
      'session_cap',
    )
  }

  function remember(sessionId: string): void {
    const [oldest] = dead.size >= MOST_REMEMBERED ? dead : []
    if (oldest) dead.delete(oldest)
    dead.add(sessionId)
  }

  async function openLost(
    { sid: sessionId, gen }: RefreshClaims,
    key: string | null,
  ): Promise<boolean> {
    let made: { userId: string; opened: Opened } | undefined
    const alive = await records.whileAlive(sessionId, clock(), async (session) => {
      const { userId, expiresAt: absoluteExpiry, ver, roles } = session
      // We signed the token: there was such a generation, whatever the checkpoint has seen.
      const generation = Math.max(gen, session.generation)
      // Presented one behind, the key may be that of the lost answer. Kept in this write, it is good also if the next one,
      // the presentation itself, never happens.
      const retryKey = generation === gen + 1 ? key : null
      const authorization = { ver, roles }
      const opened = await store.open({
        userId,
        sessionId,
        absoluteExpiry,
        authorization,
        generation,
        retryKey,
      })
      made = { userId, opened }
    })
    if (!alive) {
      // Whoever ended it may not have come to telling the nodes: what one client is told must hold everywhere.
      await revoker.announceRevoked([sessionId])
      remember(sessionId)
    }
    if (made) {
      log.info(
        { event: 'reopened', userId: made.userId, sessionId },
        'the hot state had lost a session',
      )
      await endEvicted(made.userId, made.opened)
    }
    return alive
  }

  /** Answers whether the session is alive, and open again. Many requests for one session are one query. */
  async function reopen(claims: RefreshClaims, retryKey: string | null): Promise<boolean> {
    // A token past its own expiry says that the session was idle for too long.
    if (dead.has(claims.sid) || clock() >= claims.exp * 1000) return false
    const pending =
      underway.get(claims.sid) ??
      openLost(claims, retryKey).finally(() => underway.delete(claims.sid))
    underway.set(claims.sid, pending)
    return pending
  }

  return {
    /**
     * Start a session: in the hot state first, then in Postgres, which has the last word on whether the user is still who he
     * was when he proved it. Either all of it is there or nothing: nobody must find half of it later. Answers undefined
     * where the user has changed meanwhile.
     */
    async open(
      session: NewSession,
      createdAt: number,
      device: Device,
    ): Promise<Opened | undefined> {
      const { userId, sessionId, absoluteExpiry: expiresAt, authorization } = session
      try {
        const opened = await store.open(session)
        const record = { id: sessionId, userId, createdAt, expiresAt }
        if (await records.insert(record, authorization.ver, device)) {
          await endEvicted(userId, opened)
          return opened
        }
        await store.close(userId, sessionId)
        return undefined
      } catch (error) {
        await Promise.allSettled([
          records.revoke([sessionId], 'undelivered'),
          store.close(userId, sessionId),
        ])
        throw error
      }
    },

    /** Present a token to the hot state, which may have lost the session. `unknown` where Postgres says that it is dead. */
    async rotate(claims: RefreshClaims, retryKey: string | null): Promise<Rotation> {
      const { sub: userId, sid: sessionId, gen: generation } = claims
      const present = () => store.rotate(userId, sessionId, { generation, retryKey })
      const begun = performance.now()
      let result = await present()
      for (let losses = 0; result.outcome === 'unknown' && losses < MOST_LOSSES; losses++) {
        if (!(await reopen(claims, retryKey))) return result
        // Held up on the way: the client may have gone on with another node, and twice.
        if (performance.now() - begun > REFRESH_LIMIT) throw unavailable('the truth')
        result = await present()
      }
      if (result.outcome !== 'unknown') return result
      // Lost again each time, and alive: to refuse it would log an honest client out.
      throw unavailable('the hot state')
    },
  }
}
