import { and, eq, inArray, isNull, sql } from 'drizzle-orm'
import type { Database } from '../db/database.ts'
import { sessions, users } from '../db/schema.ts'
import { insertEvents } from '../events/event-records.ts'
import { insertNotice } from '../mail/outbox.ts'
import type { Device } from './device.ts'
import { insertMissingRows } from './lost-session-records.ts'
import type { SessionEndReason, SessionRef } from './session.ts'

export interface ReuseEvent extends SessionRef {
  presentedGeneration: number
  currentGeneration: number
  device: Device
}

/** Creates the statements that revoke sessions. `onRevoked` is that of the session records. */
export function createSessionRevocations(
  { orm, query }: Pick<Database, 'orm' | 'query'>,
  onRevoked: (sessions: SessionRef[], reason: SessionEndReason) => void,
) {
  const revocationOf = (
    tx: Pick<Database['orm'], 'update'>,
    ids: readonly string[],
    revokedReason: SessionEndReason,
  ) =>
    tx
      .update(sessions)
      .set({ revokedAt: sql`now()`, revokedReason })
      .where(notRevoked(ids))
      .returning({ sessionId: sessions.id, userId: sessions.userId })

  return {
    /**
     * Revokes sessions. Idempotent: the first reason and time stay. The time is that of Postgres,
     * because every node reads it there.
     */
    async revoke(ids: readonly string[], revokedReason: SessionEndReason): Promise<void> {
      onRevoked(await query(revocationOf(orm, ids, revokedReason)), revokedReason)
    },

    /** Revokes sessions like `revoke`, even if Postgres has lost their rows. */
    async revokeEvenLost(refs: readonly SessionRef[], reason: SessionEndReason): Promise<void> {
      const revoked = await query(revocationOf(orm, idsOf(refs), reason))
      const ids = new Set(idsOf(revoked))
      const others = refs.filter(({ sessionId }) => !ids.has(sessionId))
      const lost =
        others.length === 0
          ? []
          : await query(
              orm.transaction(async (tx) => {
                await insertMissingRows(tx, others)
                return revocationOf(tx, idsOf(others), reason)
              }),
            )
      onRevoked([...revoked, ...lost], reason)
    },

    /**
     * Revokes a session because a spent token was presented, and stores the events in the same
     * transaction. Idempotent. `at` is in milliseconds since 1970.
     */
    async revokeForReuse({ device, ...event }: ReuseEvent, at: number): Promise<void> {
      const { userId, sessionId, presentedGeneration, currentGeneration } = event
      const who = { at, userId, sessionId, device }
      await query(
        orm.transaction(async (tx) => {
          // The notice locks the user, too. A change of the user locks both in this order.
          const ofUser = tx.select({ id: users.id }).from(users).where(eq(users.id, userId))
          const [owner] = await ofUser.for('key share')
          await insertMissingRows(tx, [event])
          const update = tx.update(sessions).set({ revokedAt: sql`now()`, revokedReason: 'reuse' })
          const [revoked] = await update.where(notRevoked([sessionId])).returning()
          if (!revoked) return
          const detail = { presentedGeneration, currentGeneration, ...devicesOf(revoked) }
          await insertEvents(
            tx,
            { ...who, type: 'reuse_found', detail },
            { ...who, type: 'session_ended', detail: { reason: 'reuse' } },
          )
          if (owner) await insertNotice(tx, { purpose: 'theft-found', userId, at, device })
        }),
      )
    },
  }
}

/** Returns the condition that sessions with these ids are not revoked. */
export function notRevoked(ids: readonly string[]) {
  return and(inArray(sessions.id, [...ids]), isNull(sessions.revokedAt))
}

const idsOf = (refs: readonly SessionRef[]) => refs.map(({ sessionId }) => sessionId)

/** Returns the devices that logged in and that refreshed last: one of them may be the thief's. */
function devicesOf({
  ip,
  userAgent,
  lastIp,
  lastUserAgent,
  lastSeenAt,
}: typeof sessions.$inferSelect) {
  const wasRefreshed = lastIp !== null || lastUserAgent !== null
  const lastRefresh = { ip: lastIp, userAgent: lastUserAgent, at: lastSeenAt.toISOString() }
  return { login: { ip, userAgent }, lastRefresh: wasRefreshed ? lastRefresh : null }
}
