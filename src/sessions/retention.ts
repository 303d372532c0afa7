import { and, isNotNull, lt, sql } from 'drizzle-orm'
import type { Database } from '../db/database.ts'
import { sessions, userRevocations } from '../db/schema.ts'
import { firstIdAt } from '../events/event-id.ts'

/** Milliseconds that a row stays after nothing depends on it any more: for clocks, settings and backups that differ. */
const MARGIN = 30 * 86_400_000
/** Rows that one statement deletes. */
const DELETED_AT_ONCE = 1_000

/**
 * Rows that can matter no more: of sessions that have expired, and of what made access tokens die that would have expired since.
 * The epochs stay, each of which is one row: a session's refresh token is dead by the newest for all its life.
 */
export function createRetention({ orm, query }: Database) {
  const ago = (ms: number) => sql`now() - ${`${ms} milliseconds`}::interval`

  return {
    /**
     * A token of a session that is not there is refused, like that of one that has expired. `now` only spares a look at those
     * that were opened less than `sessionMaxTtl` milliseconds ago: the time is that of Postgres.
     */
    async deleteExpired(sessionMaxTtl: number, now: number): Promise<number> {
      const old = orm.$with('old').as(
        orm
          .select({ id: sessions.id })
          .from(sessions)
          .where(
            and(
              lt(sessions.id, firstIdAt(now - sessionMaxTtl - MARGIN)),
              lt(sessions.expiresAt, ago(MARGIN)),
            ),
          )
          .orderBy(sessions.id)
          .limit(DELETED_AT_ONCE)
          .for('update', { skipLocked: true }),
      )
      const gone = orm
        .with(old)
        .delete(sessions)
        .where(sql`${sessions.id} in (select id from ${old})`)
      return (await query(gone.returning({ id: sessions.id }))).length
    },

    /** What every node was told, and no access token is left of that lives `accessTokenTtl` milliseconds. */
    async deleteRevocations(accessTokenTtl: number): Promise<number> {
      const { userId, at, publishedAt } = userRevocations
      const old = orm.$with('old').as(
        orm
          .select({ userId })
          .from(userRevocations)
          .where(and(isNotNull(publishedAt), lt(at, ago(accessTokenTtl + MARGIN))))
          .orderBy(at)
          .limit(DELETED_AT_ONCE)
          .for('update', { skipLocked: true }),
      )
      const gone = orm
        .with(old)
        .delete(userRevocations)
        .where(sql`${userId} in (select user_id from ${old})`)
      return (await query(gone.returning({ userId }))).length
    },
  }
}
