import { and, isNotNull, lt, sql } from 'drizzle-orm'
import type { Database } from '../db/database.ts'
import { ago } from '../db/interval.ts'
import { sessions, userRevocations } from '../db/schema.ts'
import { firstIdAt } from '../events/event-id.ts'

/**
 * Milliseconds that a row is kept after nothing depends on it any more, because clocks, settings
 * and backups may differ.
 */
const MARGIN = 30 * 86_400_000
/** Maximum number of rows that one statement deletes. */
const BATCH_SIZE = 1_000

/**
 * Creates what deletes expired sessions, and user revocations older than any access token that they
 * could apply to.
 *
 * Epochs are never deleted: each is one row, and the newest one applies to every refresh token of
 * an older session, however long such a session would live.
 */
export function createRetention({ orm, query }: Database) {
  return {
    /**
     * Deletes some sessions that expired long ago, and returns how many. A token of a deleted
     * session is refused like one of an expired session. Expiry is judged by the time of Postgres.
     *
     * `sessionMaxTtl` (milliseconds) and `now` (milliseconds since 1970) only save time: the
     * statement skips the sessions that are too new to have expired.
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
          .limit(BATCH_SIZE)
          .for('update', { skipLocked: true }),
      )
      const deletion = orm
        .with(old)
        .delete(sessions)
        .where(sql`${sessions.id} in (select id from ${old})`)
      return (await query(deletion.returning({ id: sessions.id }))).length
    },

    /**
     * Deletes some user revocations that were published and whose access tokens have all expired,
     * and returns how many. `accessTokenTtl` is the life of an access token in milliseconds.
     */
    async deleteRevocations(accessTokenTtl: number): Promise<number> {
      const { userId, at, publishedAt } = userRevocations
      const old = orm.$with('old').as(
        orm
          .select({ userId })
          .from(userRevocations)
          .where(and(isNotNull(publishedAt), lt(at, ago(accessTokenTtl + MARGIN))))
          .orderBy(at)
          .limit(BATCH_SIZE)
          .for('update', { skipLocked: true }),
      )
      const deletion = orm
        .with(old)
        .delete(userRevocations)
        .where(sql`${userId} in (select user_id from ${old})`)
      return (await query(deletion.returning({ userId }))).length
    },
  }
}
