import { and, desc, eq, inArray, lte, sql } from 'drizzle-orm'
import type { Database } from '../db/database.ts'
import { epochs, sessions, userRevocations } from '../db/schema.ts'
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

  return {
    ...createRevocationReader({ orm, query }),

    /**
     * Revokes every session that started before the returned time, in milliseconds since 1970.
     * That time is after `at` and after the start of the newest session. `onCommit` can record who
     * did it.
     */
    async revokeAll(at: number, onCommit: OnCommit = async () => {}): Promise<number> {
      const newest = orm
        .select({ at: sessions.createdAt })
        .from(sessions)
        .orderBy(desc(sessions.id))
        .limit(1)
      const [last] = await query(newest)
      const startedAt = new Date(Math.max(at, last?.at.getTime() ?? 0) + CLOCK_MARGIN)
      await query(
        orm.transaction(async (tx) => {
          await tx.insert(epochs).values({ startedAt, at: sql`now()` }).onConflictDoNothing()
          await onCommit(tx)
        }),
      )
      return startedAt.getTime()
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
