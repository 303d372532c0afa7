import bowser from 'bowser'
import { and, desc, eq, gt, isNull } from 'drizzle-orm'
import type { Database } from '../db/database.ts'
import { sessions, users } from '../db/schema.ts'
import { goesOn } from './session-records.ts'

/** A live session, for whoever owns it. */
export interface SessionView {
  id: string
  createdAt: number
  lastSeenAt: number
  /** At the latest: without a refresh it ends earlier. */
  expiresAt: number
  /** By its user agent, as "Firefox on Linux". */
  device: string | null
  userAgent: string | null
  ip: string | null
}

export type SessionViews = ReturnType<typeof createSessionViews>

/** What is known of sessions, for those who look at them. */
export function createSessionViews({ orm, query }: Database) {
  return {
    /** The live ones of a user at that time, newest first. */
    async list(userId: string, at: number, refreshIdleTtl: number): Promise<SessionView[]> {
      const { id, createdAt, lastSeenAt, expiresAt, userAgent, ip } = sessions
      const lives = and(
        eq(sessions.userId, userId),
        isNull(sessions.revokedAt),
        goesOn(at),
        gt(sessions.lastSeenAt, new Date(at - refreshIdleTtl)),
      )
      const found = orm
        .select({ id, createdAt, lastSeenAt, expiresAt, userAgent, ip })
        .from(sessions)
        .innerJoin(users, eq(users.id, sessions.userId))
        .where(lives)
        .orderBy(desc(sessions.id))
      return (await query(found)).map((row) => ({
        ...row,
        device: deviceLabel(row.userAgent),
        createdAt: row.createdAt.getTime(),
        lastSeenAt: row.lastSeenAt.getTime(),
        expiresAt: row.expiresAt.getTime(),
      }))
    },

    /** The id of the user whose session it is, alive or not. */
    async findOwner(id: string): Promise<string | undefined> {
      const found = orm
        .select({ userId: sessions.userId })
        .from(sessions)
        .where(eq(sessions.id, id))
      return (await query(found))[0]?.userId
    },
  }
}

/** Returns what a user calls a device, such as "Firefox on Linux"; null if its user agent does not say. */
function deviceLabel(userAgent: string | null): string | null {
  if (!userAgent) return null
  const { browser, os } = bowser.parse(userAgent)
  return [browser.name, os.name].filter(Boolean).join(' on ') || null
}
