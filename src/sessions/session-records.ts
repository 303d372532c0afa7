import { and, eq, gt, inArray, isNull, sql } from 'drizzle-orm'
import { type Database, rowsOf } from '../db/database.ts'
import { epochs, sessions, users } from '../db/schema.ts'
import { insertEvents } from '../events/event-records.ts'
import { type Device, deviceColumns } from './device.ts'
import type { SessionEndReason, SessionRef } from './session.ts'
import type { SessionStatus } from './session-store.ts'

export type { SessionEndReason, SessionRef } from './session.ts'

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
  { orm, query }: Database,
  onEnded: (ended: SessionRef[], reason: SessionEndReason) => void = () => {},
) {
  const alive = (ids: readonly string[]) =>
    and(inArray(sessions.id, [...ids]), isNull(sessions.revokedAt))
  const identity = { sessionId: sessions.id, userId: sessions.userId }

  return {
    /** Answers false, and does nothing, where the user is gone, disabled, or no longer at this `ver`. */
    async insert(session: SessionRecord, ver: number, device: Device): Promise<boolean> {
      const { id, userId } = session
      const { ip, userAgent } = deviceColumns(device)
      const created = sql.param(new Date(session.createdAt), sessions.createdAt)
      const expires = sql.param(new Date(session.expiresAt), sessions.expiresAt)
      // The lock orders it with a change of the user: that comes first and is seen here, or ends this session, too.
      const inserted = await query(
        orm.execute(sql`
          insert into sessions (id, user_id, created_at, expires_at, last_seen_at, ip, user_agent)
          select ${id}::uuid, u.id, ${created}::timestamptz, ${expires}::timestamptz, ${created}::timestamptz,
            ${ip}::text, ${userAgent}::text
          from (select id from users where id = ${userId} and ver = ${ver} and status = 'active' for share) as u
          returning id`),
      )
      return rowsOf(inserted).length > 0
    },

    /**
     * Do `work` for a session that is alive, and hold off whoever is about to end it or change its user until that is done:
     * what the work has made, he then ends or changes, too. Answers whether the session is alive.
     */
    async withLiveSession(
      id: string,
      at: number,
      work: (session: LiveSession) => Promise<unknown>,
    ): Promise<boolean> {
      return query(
        orm.transaction(async (tx) => {
          const [found] = await tx
            .select({
              userId: sessions.userId,
              generation: sessions.generation,
              expiresAt: sessions.expiresAt,
              ver: users.ver,
              roles: users.roles,
            })
            // In this order they are locked, too: it is that of whoever changes a user and then ends his sessions.
            .from(users)
            .innerJoin(sessions, eq(users.id, sessions.userId))
            .where(and(alive([id]), goesOn(at)))
            .for('share')
          if (found) await work({ ...found, expiresAt: found.expiresAt.getTime() })
          return found !== undefined
        }),
      )
    },

    /** Write down how far sessions have come: many in one statement, and none ever goes back. */
    async saveCheckpoints(batch: ReadonlyMap<string, Checkpoint>): Promise<void> {
      const rows = [...batch].map(([id, { generation, lastSeenAt, device }]) => ({
        id,
        generation: Math.min(generation, HIGHEST_CHECKPOINT),
        seen: new Date(lastSeenAt),
        ...(device && deviceColumns(device)),
      }))
      await query(
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
    async revoke(ids: readonly string[], revokedReason: SessionEndReason): Promise<void> {
      const end = orm.update(sessions).set({ revokedAt: sql`now()`, revokedReason })
      onEnded(await query(end.where(alive(ids)).returning(identity)), revokedReason)
    },

    /** End a session whose spent token came back, and put it on record, in one transaction. Idempotent. */
    async revokeForReuse({ device, ...event }: ReuseEvent, at: number): Promise<void> {
      const { userId, sessionId, presentedGeneration, currentGeneration } = event
      const who = { at, userId, sessionId, device }
      await query(
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

    /** Where the session is alive. The generation is that of a checkpoint. */
    async find(id: string, at: number): Promise<SessionStatus | undefined> {
      const found = orm
        .select({ ver: users.ver, generation: sessions.generation })
        .from(sessions)
        .innerJoin(users, eq(users.id, sessions.userId))
        .where(and(alive([id]), goesOn(at)))
      return (await query(found))[0]
    },
  }
}

/** Of a user who may have sessions, at that time, and opened since everything was ended the last time. */
export function goesOn(at: number) {
  return and(
    gt(sessions.expiresAt, new Date(at)),
    eq(users.status, 'active'),
    sql`not exists (select 1 from ${epochs} where ${epochs.startedAt} > ${sessions.createdAt})`,
  )
}

/** Whom a session was given to, and who has refreshed it last: one of them may be the thief. */
function devicesOf({
  ip,
  userAgent,
  lastIp,
  lastUserAgent,
  lastSeenAt,
}: typeof sessions.$inferSelect) {
  const isRefreshed = lastIp !== null || lastUserAgent !== null
  const lastRefresh = { ip: lastIp, userAgent: lastUserAgent, at: lastSeenAt.toISOString() }
  return { login: { ip, userAgent }, lastRefresh: isRefreshed ? lastRefresh : null }
}
