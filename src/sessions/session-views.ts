import bowser from 'bowser'
import { and, desc, eq, gt, isNull } from 'drizzle-orm'
import type { Database } from '../db/database.ts'
import { sessions, users } from '../db/schema.ts'
import type { SessionView } from '../embedding/views.ts'
import { mayBeLive } from './session-records.ts'

export type SessionViews = ReturnType<typeof createSessionViews>

/** Creates what reads sessions for people to look at. */
export function createSessionViews({ orm, query }: Database) {
  return {
    /**
     * Returns the sessions of a user that are live at that time (milliseconds since 1970),
     * newest first. `refreshIdleTtl` is in milliseconds.
     */
    async list(userId: string, at: number, refreshIdleTtl: number): Promise<SessionView[]> {
      const { id, createdAt, lastSeenAt, expiresAt, userAgent, ip } = sessions
      const isLive = and(
        eq(sessions.userId, userId),
        isNull(sessions.revokedAt),
        mayBeLive(at),
        gt(sessions.lastSeenAt, new Date(at - refreshIdleTtl)),
      )
      const statement = orm
        .select({ id, createdAt, lastSeenAt, expiresAt, userAgent, ip })
        .from(sessions)
        .innerJoin(users, eq(users.id, sessions.userId))
        .where(isLive)
        .orderBy(desc(sessions.id))
      return (await query(statement)).map((row) => ({
        ...row,
        device: deviceLabel(row.userAgent),
        createdAt: row.createdAt.getTime(),
        lastSeenAt: row.lastSeenAt.getTime(),
        expiresAt: row.expiresAt.getTime(),
      }))
    },

    /** Returns the id of the user whose session it is, whether or not the session is live. */
    async findOwner(id: string): Promise<string | undefined> {
      const statement = orm
        .select({ userId: sessions.userId })
        .from(sessions)
        .where(eq(sessions.id, id))
      return (await query(statement))[0]?.userId
    },
  }
}

/** Returns null if the user agent names neither a browser nor a system. */
function deviceLabel(userAgent: string | null): string | null {
  if (!userAgent) return null
  const { browser, os } = bowser.parse(userAgent)
  return [browser.name, os.name].filter(Boolean).join(' on ') || null
}
