import { and, desc, eq, gt, isNull, ne, sql } from 'drizzle-orm'
import { type Database, rowsOf } from '../db/database.ts'
import { epochs, sessions, users } from '../db/schema.ts'
import { type Device, deviceColumns } from './device.ts'
import type { SessionEndReason, SessionRef } from './session.ts'
import { createSessionRevocations, notRevoked } from './session-revocations.ts'
import type { SessionStatus } from './session-store.ts'

export type { ReuseEvent } from './session-revocations.ts'

export interface NewSession {
  id: string
  userId: string
  /** Milliseconds since 1970. */
  createdAt: number
  /** Milliseconds since 1970. */
  expiresAt: number
}

/** A live session, as Postgres knows it. */
export interface LiveSession {
  userId: string
  /** The generation of the last checkpoint. */
  generation: number
  /** Milliseconds since 1970. */
  expiresAt: number
  ver: number
  roles: string[]
}

/** The status of a live session, with the roles of its user by Postgres. */
export interface RecordedStatus extends SessionStatus {
  roles: string[]
}

export type SessionRecords = ReturnType<typeof createSessionRecords>

/**
 * Creates access to the `sessions` table, which decides which sessions exist and which are revoked.
 * `onRevoked` is called with the sessions that are revoked here, once for each session. It is not
 * called for reuse, because that event is stored in the same transaction as the revocation.
 */
export function createSessionRecords(
  { orm, query }: Database,
  onRevoked: (sessions: SessionRef[], reason: SessionEndReason) => void = () => {},
) {
  return {
    ...createSessionRevocations({ orm, query }, onRevoked),

    /**
     * Inserts a session and returns true. Returns false, and does nothing, if the user was deleted
     * or disabled, or is no longer at this `ver`. The same if the session was revoked before.
     */
    async insert(session: NewSession, ver: number, device: Device): Promise<boolean> {
      const { id, userId } = session
      const { ip, userAgent } = deviceColumns(device)
      const created = sql.param(new Date(session.createdAt), sessions.createdAt)
      const expires = sql.param(new Date(session.expiresAt), sessions.expiresAt)
      // `for share` waits for a change of the user. If the change commits first, this statement
      // sees it. If this one commits first, the change revokes the new session, too.
      const inserted = await query(
        orm.execute(sql`
          insert into ${sessions}
            (id, user_id, created_at, expires_at, last_seen_at, ip, user_agent)
          select ${id}::uuid, u.id, ${created}::timestamptz, ${expires}::timestamptz,
            ${created}::timestamptz, ${ip}::text, ${userAgent}::text
          from (
            select id from ${users} where id = ${userId} and ver = ${ver} and status = 'active'
            for share
          ) as u
          on conflict (id) do nothing
          returning id`),
      )
      return rowsOf(inserted).length > 0
    },

    /**
     * Runs `work` if the session is live, and returns whether it is. A transaction that wants to
     * revoke the session or change its user waits until the work is done. So the revocation or
     * change also applies to the result of the work.
     */
    async withLiveSession(
      id: string,
      at: number,
      work: (session: LiveSession) => Promise<unknown>,
    ): Promise<boolean> {
      return query(
        orm.transaction(async (tx) => {
          const [session] = await tx
            .select({
              userId: sessions.userId,
              generation: sessions.generation,
              expiresAt: sessions.expiresAt,
              ver: users.ver,
              roles: users.roles,
            })
            // The tables are locked in this order. A change of a user, which revokes the sessions
            // afterwards, locks them in the same order, so the two cannot deadlock.
            .from(users)
            .innerJoin(sessions, eq(users.id, sessions.userId))
            .where(and(notRevoked([id]), mayBeLive(at)))
            .for('share')
          if (session) await work({ ...session, expiresAt: session.expiresAt.getTime() })
          return session !== undefined
        }),
      )
    },

    /**
     * Returns the ids of the user's least recently used sessions beyond `max`. The session `kept`
     * counts as the most recently used one. `refreshIdleTtl` is in milliseconds, and `at` in
     * milliseconds since 1970.
     */
    async findBeyond(
      { max, refreshIdleTtl }: { max: number; refreshIdleTtl: number },
      userId: string,
      kept: string,
      at: number,
    ): Promise<string[]> {
      const isOther = and(
        eq(sessions.userId, userId),
        ne(sessions.id, kept),
        isNull(sessions.revokedAt),
        gt(sessions.lastSeenAt, new Date(at - refreshIdleTtl)),
        mayBeLive(at),
      )
      const statement = orm
        .select({ id: sessions.id })
        .from(sessions)
        .innerJoin(users, eq(users.id, sessions.userId))
        .where(isOther)
        .orderBy(desc(sessions.lastSeenAt), desc(sessions.id))
        .offset(max - 1)
      return (await query(statement)).map(({ id }) => id)
    },

    /**
     * Returns the status of a session that is live at that time, and undefined for any other. The
     * generation is that of the last checkpoint.
     */
    async find(id: string, at: number): Promise<RecordedStatus | undefined> {
      const statement = orm
        .select({ ver: users.ver, roles: users.roles, generation: sessions.generation })
        .from(sessions)
        .innerJoin(users, eq(users.id, sessions.userId))
        .where(and(notRevoked([id]), mayBeLive(at)))
      return (await query(statement))[0]
    },
  }
}

/**
 * Returns the condition that a session has not expired at that time (milliseconds since 1970),
 * that its user may have sessions, and that it started after the last revocation of all sessions.
 * Whether the session itself was revoked is a separate condition.
 */
export function mayBeLive(at: number) {
  return and(
    gt(sessions.expiresAt, new Date(at)),
    eq(users.status, 'active'),
    sql`not exists (select 1 from ${epochs} where ${epochs.startedAt} > ${sessions.createdAt})`,
  )
}
