import { and, eq, gt, inArray, isNotNull, isNull, lt, sql } from 'drizzle-orm'
import type { Database } from '../db/database.ts'
import { sessions, users } from '../db/schema.ts'
import { type Device, deviceColumns } from '../device.ts'
import { insertEvents } from '../events/event-records.ts'

export type { Device }

export type EndReason = 'logout' | 'reuse' | 'session_cap' | 'undelivered'

export interface SessionRecord {
  id: string
  userId: string
  /** Milliseconds since the epoch, like every time in the domain. */
  createdAt: number
  expiresAt: number
}

/** A session that goes on, as far as the truth knows it. */
export interface LiveSession {
  userId: string
  /** The newest one that a checkpoint has seen. */
  generation: number
  expiresAt: number
  ver: number
  roles: string[]
}

export interface EndedSession {
  sessionId: string
  userId: string
}

export interface Checkpoint {
  generation: number
  lastSeenAt: number
  /** Whose refresh it was. */
  device?: Device
}

export interface ReuseEvent {
  userId: string
  sessionId: string
  presentedGeneration: number
  currentGeneration: number
  device: Device
}

/** The column is a signed 32-bit integer; past it the token's own generation is the better witness anyway. */
const HIGHEST_CHECKPOINT = 0x7fffffff

export type SessionRecords = ReturnType<typeof createSessionRecords>

/**
 * The `sessions` table: the truth about which sessions there are, and which were ended. `onEnded` hears of those that are
 * ended here, each once, but not of theft, which is put on record with its end.
 */
export function createSessionRecords(
  { orm, run }: Database,
  onEnded: (ended: EndedSession[], reason: EndReason) => void = () => {},
) {
  const alive = (ids: readonly string[]) => and(inArray(sessions.id, [...ids]), isNull(sessions.revokedAt))
  const identity = { sessionId: sessions.id, userId: sessions.userId }

  return {
    async insert(session: SessionRecord, device: Device): Promise<void> {
      const createdAt = new Date(session.createdAt)
      const row = { ...session, ...deviceColumns(device), createdAt, lastSeenAt: createdAt }
      await run(orm.insert(sessions).values({ ...row, expiresAt: new Date(session.expiresAt) }))
    },

    /**
     * Do `work` for a session that is alive, and hold off whoever is about to end it until that is done: he then ends
     * what the work has made, too. Answers whether the session is alive.
     */
    async whileAlive(
      id: string,
      at: number,
      work: (session: LiveSession) => Promise<unknown>,
    ): Promise<boolean> {
      return run(
        orm.transaction(async (tx) => {
          const [found] = await tx
            .select({
              userId: sessions.userId,
              generation: sessions.generation,
              expiresAt: sessions.expiresAt,
              ver: users.ver,
              roles: users.roles,
            })
            .from(sessions)
            .innerJoin(users, eq(users.id, sessions.userId))
            .where(and(alive([id]), gt(sessions.expiresAt, new Date(at)), eq(users.status, 'active')))
            .for('share', { of: sessions })
          if (found) await work({ ...found, expiresAt: found.expiresAt.getTime() })
          return found !== undefined
        }),
      )
    },

    /** Write down how far sessions have come: many in one statement, and none ever goes back. */
    async checkpoint(batch: ReadonlyMap<string, Checkpoint>): Promise<void> {
      const rows = [...batch].map(([id, { generation, lastSeenAt, device }]) => ({
        id,
        generation: Math.min(generation, HIGHEST_CHECKPOINT),
        seen: new Date(lastSeenAt),
        ...(device && deviceColumns(device)),
      }))
      await run(
        orm.execute(sql`
          update sessions set
            generation = greatest(sessions.generation, v.generation),
            last_ip = case when v.seen < sessions.last_seen_at then last_ip else v.ip end,
            last_user_agent = case when v.seen < sessions.last_seen_at then last_user_agent else v."userAgent" end,
            last_seen_at = greatest(sessions.last_seen_at, v.seen)
          from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
            as v(id uuid, generation int, seen timestamptz, ip text, "userAgent" text)
          where sessions.id = v.id`),
      )
    },

    /** Idempotent: the first reason and time stay. The time is that of Postgres, as every node reads it there. */
    async revoke(ids: readonly string[], revokedReason: EndReason): Promise<void> {
      const end = orm.update(sessions).set({ revokedAt: sql`now()`, revokedReason })
      onEnded(await run(end.where(alive(ids)).returning(identity)), revokedReason)
    },

    /** End a session whose spent token came back, and put it on record, in one transaction. Idempotent. */
    async revokeForReuse({ device, ...event }: ReuseEvent, at: number): Promise<void> {
      const { userId, sessionId, presentedGeneration, currentGeneration } = event
      const who = { at, userId, sessionId, device }
      await run(
        orm.transaction(async (tx) => {
          const end = tx.update(sessions).set({ revokedAt: sql`now()`, revokedReason: 'reuse' })
          const [ended] = await end.where(alive([sessionId])).returning()
          if (!ended) return
          const detail = { presentedGeneration, currentGeneration, ...devicesOf(ended) }
          await insertEvents(
            tx,
            { ...who, type: 'reuse_found', detail },
            { ...who, type: 'session_ended', detail: { reason: 'reuse' } },
          )
        }),
      )
    },

    /** Sessions that were ended less than so many milliseconds ago. */
    async endedWithin(ms: number): Promise<EndedSession[]> {
      const since = sql`now() - ${`${ms} milliseconds`}::interval`
      return run(orm.select(identity).from(sessions).where(gt(sessions.revokedAt, since)))
    },

    /** Sessions that were ended, longer than so many milliseconds ago, by a process that then told nobody. */
    async unpublished(ms: number, most: number): Promise<EndedSession[]> {
      const before = sql`now() - ${`${ms} milliseconds`}::interval`
      const forgotten = and(
        isNotNull(sessions.revokedAt),
        isNull(sessions.publishedAt),
        lt(sessions.revokedAt, before),
      )
      return run(orm.select(identity).from(sessions).where(forgotten).limit(most))
    },

    async markPublished(ids: readonly string[]): Promise<void> {
      await run(
        orm
          .update(sessions)
          .set({ publishedAt: sql`now()` })
          .where(inArray(sessions.id, [...ids])),
      )
    },

    async isAlive(id: string, at: number): Promise<boolean> {
      const found = orm
        .select(identity)
        .from(sessions)
        .where(and(alive([id]), gt(sessions.expiresAt, new Date(at))))
      return (await run(found)).length > 0
    },
  }
}

/** Whom a session was given to, and who has refreshed it last: one of them may be the thief. */
function devicesOf({ ip, userAgent, lastIp, lastUserAgent, lastSeenAt }: typeof sessions.$inferSelect) {
  const isRefreshed = lastIp !== null || lastUserAgent !== null
  const lastRefresh = { ip: lastIp, userAgent: lastUserAgent, at: lastSeenAt.toISOString() }
  return { login: { ip, userAgent }, lastRefresh: isRefreshed ? lastRefresh : null }
}
