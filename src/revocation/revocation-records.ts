import { and, desc, eq, gte, inArray, isNull, lte, sql } from 'drizzle-orm'
import type { Database } from '../db/database.ts'
import { fromNow } from '../db/interval.ts'
import { epochs, sessions, userRevocations } from '../db/schema.ts'
import { firstIdAt } from '../events/event-id.ts'
import type { SessionRef } from '../sessions/session.ts'
import { type CommittedRevocation, createRevocationReader } from './revocation-reader.ts'
import type { Revocation } from './revocations.ts'

/** Runs in the transaction of a revocation, right before its commit. */
export type OnCommit = (tx: Pick<Database['orm'], 'execute'>) => Promise<void>

export type RevocationRecords = ReturnType<typeof createRevocationRecords>

/**
 * Milliseconds by which the clocks of nodes may differ: no session that started before everything
 * was revoked may survive it.
 */
const CLOCK_MARGIN = 100

/** The clocks of Redis and Postgres may differ by this many milliseconds. */
const CLOCK_TOLERANCE = 60_000

/** What revoked every session. */
export interface GlobalRevocation {
  /** Every session that started before this time is revoked. Milliseconds since 1970. */
  before: number
  /** Sessions that started later, because the clock was ahead at that time. */
  later: SessionRef[]
}

/** Creates the access to the revocations in Postgres. */
export function createRevocationRecords({ orm, query }: Database) {
  /** Skips a user whose row belongs to a later change by now, which is published by itself. */
  async function markUser(userId: string, ver: number): Promise<void> {
    const isSame = and(eq(userRevocations.userId, userId), lte(userRevocations.ver, ver))
    await query(orm.update(userRevocations).set({ publishedAt: sql`now()` }).where(isSame))
  }

  async function markEverything(before: number): Promise<void> {
    const isCovered = lte(epochs.startedAt, new Date(before))
    await query(orm.update(epochs).set({ publishedAt: sql`now()` }).where(isCovered))
  }

  async function findNewestStart(): Promise<number> {
    const { createdAt: at, id } = sessions
    const isPast = lte(at, fromNow(CLOCK_TOLERANCE))
    const newest = orm.select({ at }).from(sessions).where(isPast).orderBy(desc(id)).limit(1)
    const [last] = await query(newest)
    return last?.at.getTime() ?? 0
  }

  return {
    ...createRevocationReader({ orm, query }),

    /**
     * Revokes every session, in the order: those that started before the returned time `before`,
     * in milliseconds since 1970, as a whole, and the others one by one. `now` is the time that all
     * nodes share. If it is unknown, `before` is after the start of the newest session that did not
     * start in the future by the clock of Postgres. `onCommit` can record who did it.
     */
    async revokeAll(now?: number, onCommit: OnCommit = async () => {}): Promise<GlobalRevocation> {
      const startedAt = new Date((now ?? (await findNewestStart())) + CLOCK_MARGIN)
      return query(
        orm.transaction(async (tx) => {
          await tx.insert(epochs).values({ startedAt, at: sql`now()` }).onConflictDoNothing()
          // The clock was ahead when these started. If `before` were later than they, the logins
          // of the time until then would be revoked too.
          const startedLater = and(
            gte(sessions.id, firstIdAt(startedAt.getTime())),
            gte(sessions.createdAt, startedAt),
            isNull(sessions.revokedAt),
          )
          const later = await tx
            .update(sessions)
            .set({ revokedAt: sql`now()`, revokedReason: 'ended_by_admin' })
            .where(startedLater)
            .returning({ sessionId: sessions.id, userId: sessions.userId })
          await onCommit(tx)
          return { before: startedAt.getTime(), later }
        }),
      )
    },

    async markPublished(revocations: readonly CommittedRevocation[]): Promise<void> {
      const sessionIds = revocations.flatMap((one) =>
        one.kind === 'session' ? [one.sessionId] : [],
      )
      if (sessionIds.length > 0) {
        const isPublished = inArray(sessions.id, sessionIds)
        await query(orm.update(sessions).set({ publishedAt: sql`now()` }).where(isPublished))
      }
      for (const one of revocations) {
        if (one.kind === 'user') await markUser(one.userId, one.authorization.ver)
        if (one.kind === 'everything') await markEverything(one.before)
      }
    },
  }
}

/** Returns the entry of the feed that publishes a committed revocation. */
export function revocationOf(committed: CommittedRevocation): Revocation {
  switch (committed.kind) {
    case 'session':
      return { kind: 'session', sessionId: committed.sessionId, isCommitted: true }
    case 'user': {
      const { authorization, ...rest } = committed
      return { ...rest, ...authorization }
    }
    case 'everything':
      return committed
  }
}
