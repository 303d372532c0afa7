import { isIP } from 'node:net'
import { and, eq, gt, inArray, isNull, sql } from 'drizzle-orm'
import { v7 as uuid } from 'uuid'
import { type Database, rowsOf } from '../db/database.ts'
import { epochs, securityEvents, sessions, users } from '../db/schema.ts'

/** Where a request came from, as far as it tells. */
export interface Device {
  ip: string
  userAgent: string | undefined
}

export type EndReason =
  | 'logout'
  | 'reuse'
  | 'session_cap'
  | 'undelivered'
  | 'ended_by_user'
  | 'password_changed'
  | 'ended_by_admin'
  | 'roles_changed'
  | 'user_disabled'
  | 'user_deleted'

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

/** The `sessions` table: the truth about which sessions there are, and which were ended. */
export function createSessionRecords({ orm, run }: Database) {
  const alive = (ids: readonly string[]) => and(inArray(sessions.id, [...ids]), isNull(sessions.revokedAt))

  return {
    /** Answers false, and does nothing, where the user is gone, disabled, or no longer at this `ver`. */
    async insert(session: SessionRecord, ver: number, device: Device): Promise<boolean> {
      const { id, userId } = session
      const { ip, userAgent } = deviceColumns(device)
      const created = sql.param(new Date(session.createdAt), sessions.createdAt)
      const expires = sql.param(new Date(session.expiresAt), sessions.expiresAt)
      // The lock orders it with a change of the user: that comes first and is seen here, or ends this session, too.
      const inserted = await run(
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
            .where(and(alive([id]), goesOn(at)))
            .for('share')
          if (found) await work({ ...found, expiresAt: found.expiresAt.getTime() })
          return found !== undefined
        }),
      )
    },

    /** Write down how far sessions have come: many in one statement, and none ever goes back. */
    async checkpoint(batch: ReadonlyMap<string, Checkpoint>): Promise<void> {
      const rows = [...batch].map(([id, { generation, lastSeenAt }]) => ({
        id,
        generation: Math.min(generation, HIGHEST_CHECKPOINT),
        seen: new Date(lastSeenAt),
      }))
      await run(
        orm.execute(sql`
          update sessions set
            generation = greatest(sessions.generation, v.generation),
            last_seen_at = greatest(sessions.last_seen_at, v.seen)
          from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as v(id uuid, generation int, seen timestamptz)
          where sessions.id = v.id`),
      )
    },

    /** Idempotent: the first reason and time stay. The time is that of Postgres, as every node reads it there. */
    async revoke(ids: readonly string[], revokedReason: EndReason): Promise<void> {
      const end = orm.update(sessions).set({ revokedAt: sql`now()`, revokedReason })
      await run(end.where(alive(ids)))
    },

    /** End a session whose spent token came back, and put it on record, in one transaction. Idempotent. */
    async revokeForReuse({ device, ...event }: ReuseEvent, at: number): Promise<void> {
      const { userId, sessionId, presentedGeneration, currentGeneration } = event
      await run(
        orm.transaction(async (tx) => {
          const end = tx.update(sessions).set({ revokedAt: sql`now()`, revokedReason: 'reuse' })
          const ended = await end.where(alive([sessionId])).returning({ id: sessions.id })
          if (ended.length === 0) return
          const detail = { presentedGeneration, currentGeneration }
          const row = { id: uuid(), at: new Date(at), type: 'reuse_found', userId, sessionId, detail }
          await tx.insert(securityEvents).values({ ...row, ...deviceColumns(device) })
        }),
      )
    },

    /** The `ver` of its user where the session is alive. */
    async findVersion(id: string, at: number): Promise<number | undefined> {
      const found = orm
        .select({ ver: users.ver })
        .from(sessions)
        .innerJoin(users, eq(users.id, sessions.userId))
        .where(and(alive([id]), goesOn(at)))
      const [row] = await run(found)
      return row?.ver
    },
  }
}

/** Both may be the client's own text: the user agent is cut to a length that no honest browser exceeds. */
function deviceColumns({ ip, userAgent }: Device) {
  return { ip: isIP(ip) ? ip : null, userAgent: userAgent?.slice(0, 512) ?? null }
}

/** Of a user who may have sessions, at that time, and opened since everything was ended the last time. */
export function goesOn(at: number) {
  return and(
    gt(sessions.expiresAt, new Date(at)),
    eq(users.status, 'active'),
    sql`not exists (select 1 from ${epochs} where ${epochs.startedAt} > ${sessions.createdAt})`,
  )
}
