import { and, desc, eq, gt, inArray, isNotNull, isNull, lt, lte, type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/database.ts'
import { ago } from '../db/interval.ts'
import { epochs, sessions, userRevocations, users } from '../db/schema.ts'
import type { Authorization } from '../sessions/session-store.ts'
import type { Revocation } from './revocations.ts'

/** A revocation that is committed in Postgres: what to apply to the hot state and to publish. */
export type CommittedRevocation =
  | { kind: 'session'; sessionId: string; userId: string }
  /**
   * The user's access tokens below this authorization. With `sessionsEnded`, the user's sessions as
   * well, except the session `except`.
   */
  | {
      kind: 'user'
      userId: string
      authorization: Authorization
      sessionsEnded: boolean
      except?: string
    }
  /** Every session that started before this time. Milliseconds since 1970. */
  | { kind: 'everything'; before: number }

/** Runs in the transaction of a revocation, right before its commit. */
export type OnCommit = (tx: Pick<Database['orm'], 'execute'>) => Promise<void>

export type RevocationRecords = ReturnType<typeof createRevocationRecords>

type Conditions = Record<'session' | 'user' | 'epoch', SQL | undefined>

/**
 * Milliseconds by which the clocks of nodes may differ: no session that started before everything
 * was revoked may survive it.
 */
const CLOCK_MARGIN = 100

const NO_LIMIT = 2 ** 31 - 1

/** Reads revocations from Postgres, for nodes that may have missed them and for the sweep. */
export function createRevocationRecords({ orm, query }: Database) {
  async function read(conditions: Conditions, limit: number): Promise<CommittedRevocation[]> {
    const ofSessions = await query(
      orm
        .select({ sessionId: sessions.id, userId: sessions.userId })
        .from(sessions)
        .where(conditions.session)
        .limit(limit),
    )
    const ofUsers = await query(
      orm
        .select({ revocation: userRevocations, ver: users.ver, roles: users.roles })
        .from(userRevocations)
        .leftJoin(users, eq(users.id, userRevocations.userId))
        .where(conditions.user)
        .limit(limit),
    )
    const ofEverything = await query(orm.select().from(epochs).where(conditions.epoch))
    return [
      ...ofSessions.map((row) => ({ kind: 'session' as const, ...row })),
      ...ofUsers.map(({ revocation, ver, roles }) => {
        const { userId, sessionsEnded, exceptSession } = revocation
        return {
          kind: 'user' as const,
          userId,
          authorization: { ver: ver ?? revocation.ver, roles: roles ?? [] },
          sessionsEnded,
          ...(exceptSession && { except: exceptSession }),
        }
      }),
      ...ofEverything.map(({ startedAt }) => ({
        kind: 'everything' as const,
        before: startedAt.getTime(),
      })),
    ]
  }

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
    /** Returns the revocations of the last `ms` milliseconds. */
    findRecent(ms: number): Promise<CommittedRevocation[]> {
      const since = ago(ms)
      const conditions = {
        session: gt(sessions.revokedAt, since),
        user: gt(userRevocations.at, since),
        epoch: gt(epochs.at, since),
      }
      return read(conditions, NO_LIMIT)
    },

    /**
     * Returns revocations that were committed more than `ms` milliseconds ago and never marked as
     * published: at most `limit` of sessions and as many of users.
     */
    findUnpublished(ms: number, limit: number): Promise<CommittedRevocation[]> {
      const before = ago(ms)
      const conditions = {
        session: and(
          isNotNull(sessions.revokedAt),
          isNull(sessions.publishedAt),
          lt(sessions.revokedAt, before),
        ),
        user: and(isNull(userRevocations.publishedAt), lt(userRevocations.at, before)),
        epoch: and(isNull(epochs.publishedAt), lt(epochs.at, before)),
      }
      return read(conditions, limit)
    },

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
      return { kind: 'session', sessionId: committed.sessionId }
    case 'user': {
      const { userId, authorization, except } = committed
      return { kind: 'user', userId, ver: authorization.ver, ...(except && { except }) }
    }
    case 'everything':
      return committed
  }
}
