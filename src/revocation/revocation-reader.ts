import { and, eq, gt, isNotNull, isNull, lt, type SQL, sql } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import type { Database } from '../db/database.ts'
import { ago } from '../db/interval.ts'
import { epochs, sessions, userRevocations, users } from '../db/schema.ts'
import type { Authorization } from '../sessions/session-store.ts'
import type { CommittedUser } from './revocations.ts'

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
      status: CommittedUser['status']
      sessionsEnded: boolean
      except?: string
    }
  /** Every session that started before this time. Milliseconds since 1970. */
  | { kind: 'everything'; before: number }

/** A committed revocation, and the milliseconds since its commit. */
export interface RecentRevocation {
  revocation: CommittedRevocation
  age: number
}

/** By `at` and `id` the next page continues; `at` has all the digits that Postgres has. */
interface Row extends RecentRevocation {
  id: string
  at: string
}

/** Maximum number of rows that are read at once. */
const PAGE = 2_000

/** Reads revocations from Postgres, for nodes that may have missed them and for the sweep. */
export function createRevocationReader({ orm, query }: Pick<Database, 'orm' | 'query'>) {
  /** Reads sessions that match, in the order of their revocation. */
  async function readSessions(isWanted: SQL | undefined, limit: number): Promise<Row[]> {
    const { id, userId, revokedAt } = sessions
    const select = orm.select({ id, userId, ...timeOf(revokedAt) }).from(sessions)
    const rows = await query(select.where(isWanted).orderBy(revokedAt, id).limit(limit))
    return rows.map(({ id, userId, at, age }) => {
      return { id, at, age, revocation: { kind: 'session', sessionId: id, userId } }
    })
  }

  /** Reads revocations of users that match, in their order. */
  async function readUsers(isWanted: SQL | undefined, limit: number): Promise<Row[]> {
    const { userId, at } = userRevocations
    const { ver, roles, status } = users
    const rows = await query(
      orm
        .select({ committed: userRevocations, ver, roles, status, ...timeOf(at) })
        .from(userRevocations)
        .leftJoin(users, eq(users.id, userId))
        .where(isWanted)
        .orderBy(at, userId)
        .limit(limit),
    )
    return rows.map(({ committed, ver, roles, status, at, age }) => {
      const { userId, sessionsEnded, exceptSession } = committed
      const authorization = { ver: ver ?? committed.ver, roles: roles ?? [] }
      const except = exceptSession ? { except: exceptSession } : {}
      const state = { authorization, status: status ?? ('deleted' as const), sessionsEnded }
      return { id: userId, at, age, revocation: { kind: 'user', userId, ...state, ...except } }
    })
  }

  async function readEpochs(isWanted: SQL | undefined): Promise<Omit<Row, 'id'>[]> {
    const select = orm.select({ startedAt: epochs.startedAt, ...timeOf(epochs.at) }).from(epochs)
    const rows = await query(select.where(isWanted))
    return rows.map(({ startedAt, at, age }) => {
      return { at, age, revocation: { kind: 'everything', before: startedAt.getTime() } }
    })
  }

  /** Reads all rows since a time, page by page, so that the event loop is never held for long. */
  async function* readPages(
    read: typeof readSessions,
    [at, id]: [PgColumn, PgColumn],
    since: SQL,
  ): AsyncGenerator<Row[]> {
    let isWanted = gt(at, since)
    for (;;) {
      const rows = await read(isWanted, PAGE)
      if (rows.length > 0) yield rows
      const last = rows.at(-1)
      if (!last || rows.length < PAGE) return
      // The first half seems redundant, but without it Postgres does not use a partial index.
      isWanted = sql`${at} >= ${last.at}::timestamptz and
        (${at}, ${id}) > (${last.at}::timestamptz, ${sql.param(last.id, id)})`
    }
  }

  return {
    /** Reads the revocations of the last `ms` milliseconds, in batches. */
    async *findRecent(ms: number): AsyncGenerator<RecentRevocation[]> {
      const since = ago(ms)
      yield await readEpochs(gt(epochs.at, since))
      yield* readPages(readSessions, [sessions.revokedAt, sessions.id], since)
      yield* readPages(readUsers, [userRevocations.at, userRevocations.userId], since)
    },

    /** Returns the revocation of a user that is committed and not marked as published. */
    async findPending(userId: string): Promise<CommittedRevocation | undefined> {
      const isPending = and(eq(userRevocations.userId, userId), isNull(userRevocations.publishedAt))
      return (await readUsers(isPending, 1))[0]?.revocation
    },

    /**
     * Returns revocations that were committed more than `ms` milliseconds ago and never marked as
     * published: at most `limit` of sessions and as many of users.
     */
    async findUnpublished(ms: number, limit: number): Promise<CommittedRevocation[]> {
      const before = ago(ms)
      const isSessionWanted = and(
        isNotNull(sessions.revokedAt),
        isNull(sessions.publishedAt),
        lt(sessions.revokedAt, before),
      )
      const isUserWanted = and(isNull(userRevocations.publishedAt), lt(userRevocations.at, before))
      const isEpochWanted = and(isNull(epochs.publishedAt), lt(epochs.at, before))
      const rows = [
        ...(await readSessions(isSessionWanted, limit)),
        ...(await readUsers(isUserWanted, limit)),
        ...(await readEpochs(isEpochWanted)),
      ]
      return rows.map(({ revocation }) => revocation)
    },
  }
}

function timeOf(at: PgColumn) {
  return {
    at: sql<string>`${at}::text`,
    age: sql<number>`greatest(0, 1000 * extract(epoch from now() - ${at}))::float8`,
  }
}
