import { and, asc, eq, inArray, isNotNull, sql } from 'drizzle-orm'
import type { Database } from '../db/database.ts'
import { fromNow } from '../db/interval.ts'
import { mails } from '../db/schema.ts'

/** Milliseconds during which a mail that an operator retries is sent again. */
const RETRY_FOR = 86_400_000

/** Creates an operator's view of the outbox, and the way to retry dead mails. */
export function createMails({ orm, query }: Database) {
  const { id, userId, purpose, attempts, lastError, createdAt, deadAt } = mails
  return {
    /** Returns up to `count` mails that were not sent, in the order of sending. */
    list: (isDead: boolean, count: number) =>
      query(
        orm
          .select({ id, userId, purpose, attempts, lastError, createdAt, deadAt })
          .from(mails)
          .where(isDead ? isNotNull(deadAt) : undefined)
          .orderBy(asc(mails.seq))
          .limit(count),
      ),

    /** Schedules dead mails again, those with the given ids or all. Returns their ids. */
    async retry(ids?: readonly string[]): Promise<string[]> {
      const retried = orm
        .update(mails)
        .set({ deadAt: null, dueAt: sql`now()`, sendUntil: fromNow(RETRY_FOR) })
        .where(and(isNotNull(deadAt), ids && inArray(id, [...ids])))
        .returning({ id })
      return (await query(retried)).map((row) => row.id)
    },

    /** Returns whether there is a dead mail with this id. */
    async isDead(given: string): Promise<boolean> {
      return (await query(orm.$count(mails, and(eq(id, given), isNotNull(deadAt))))) > 0
    },
  }
}
