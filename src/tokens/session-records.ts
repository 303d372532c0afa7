import { and, inArray, isNull } from 'drizzle-orm'
import { v7 as uuid } from 'uuid'
import { type Database, run } from '../db/database.ts'
import { securityEvents, sessions } from '../db/schema.ts'

/** Where a request came from, as far as it tells. */
export interface Device {
  ip: string
  userAgent: string | undefined
}

export type EndReason = 'logout' | 'reuse' | 'session_cap'

export interface SessionRecord {
  id: string
  userId: string
  /** Milliseconds since the epoch, like every time in the domain. */
  createdAt: number
  expiresAt: number
}

export interface ReuseEvent {
  userId: string
  sessionId: string
  presentedGeneration: number
  currentGeneration: number
  device: Device
}

export type SessionRecords = ReturnType<typeof createSessionRecords>

/** The `sessions` table: the truth about which sessions there are, and which were ended. */
export function createSessionRecords({ orm }: Database) {
  const alive = (ids: string[]) => and(inArray(sessions.id, ids), isNull(sessions.revokedAt))

  return {
    async insert(session: SessionRecord, device: Device): Promise<void> {
      const createdAt = new Date(session.createdAt)
      const row = { ...session, ...deviceColumns(device), createdAt, lastSeenAt: createdAt }
      await run(orm.insert(sessions).values({ ...row, expiresAt: new Date(session.expiresAt) }))
    },

    /** Idempotent: the first reason and time stay. */
    async revoke(ids: string[], revokedReason: EndReason, at: number): Promise<void> {
      const end = orm.update(sessions).set({ revokedAt: new Date(at), revokedReason })
      await run(end.where(alive(ids)))
    },

    /** End a session whose spent token came back, and put it on record, in one transaction. Idempotent. */
    async revokeForReuse({ device, ...event }: ReuseEvent, at: number): Promise<void> {
      const { userId, sessionId, presentedGeneration, currentGeneration } = event
      const moment = new Date(at)
      await run(
        orm.transaction(async (tx) => {
          const end = tx.update(sessions).set({ revokedAt: moment, revokedReason: 'reuse' })
          const ended = await end.where(alive([sessionId])).returning({ id: sessions.id })
          if (ended.length === 0) return
          const detail = { presentedGeneration, currentGeneration }
          const row = { id: uuid(), at: moment, type: 'reuse_found', userId, sessionId, detail }
          await tx.insert(securityEvents).values({ ...row, ...deviceColumns(device) })
        }),
      )
    },
  }
}

/** The user agent is the client's own text: cut to a length that no honest browser exceeds. */
function deviceColumns({ ip, userAgent }: Device) {
  return { ip, userAgent: userAgent?.slice(0, 512) }
}
