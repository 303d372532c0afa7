import { and, asc, eq, isNotNull, isNull, lt, lte, notExists, or, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import type { Database } from '../db/database.ts'
import { ago, fromNow } from '../db/interval.ts'
import { mails } from '../db/schema.ts'
import type { MailPurpose } from './mail.ts'

/** An attempt that this process has claimed. */
export interface ClaimedMail {
  id: string
  userId: string
  address: string
  purpose: MailPurpose
  facts: Record<string, string>
  /** The number of attempts, this one included. */
  attempts: number
  /** Whether the time in which it may be sent is over. */
  isLate: boolean
}

/** The maximum number of mails that one statement deletes. */
const DELETE_BATCH = 1_000
/** Milliseconds after which a dead mail is deleted. */
const DEAD_RETENTION = 30 * 86_400_000
/** Milliseconds after which mails are deleted if no node sends them. */
const UNSENT_RETENTION = 2 * 86_400_000

export type MailQueue = ReturnType<typeof createMailQueue>

/** Creates the access of the worker to the outbox. All times are those of Postgres. */
export function createMailQueue({ orm, query }: Database) {
  function dueMails(count: number) {
    const isDue = lte(mails.dueAt, sql`now()`)
    return orm.$with('due').as(
      orm
        .select({ id: mails.id })
        .from(mails)
        .where(and(isNull(mails.deadAt), isDue, notExists(predecessorsOf(orm))))
        .orderBy(asc(mails.dueAt))
        .limit(count)
        .for('update', { skipLocked: true }),
    )
  }

  /** Matches the mail only if no other node has claimed it since. */
  const isStillOurs = ({ id, attempts }: ClaimedMail) =>
    and(eq(mails.id, id), eq(mails.attempts, attempts))

  return {
    /** Claims up to `count` mails for `lease` milliseconds. */
    async claim(count: number, lease: number): Promise<ClaimedMail[]> {
      const due = dueMails(count)
      const { id, userId, address, purpose, facts, attempts, sendUntil } = mails
      const isLate = sql<boolean>`${sendUntil} < now()`
      const claimed = orm
        .with(due)
        .update(mails)
        .set({ dueAt: fromNow(lease), attempts: sql`${attempts} + 1` })
        .where(sql`${id} in (select id from ${due})`)
        .returning({ id, userId, address, purpose, facts, attempts, isLate })
      return (await query(claimed)) as ClaimedMail[]
    },

    /** Removes a mail that was sent or is not wanted any more. */
    async complete({ id }: ClaimedMail): Promise<void> {
      await query(orm.delete(mails).where(eq(mails.id, id)))
    },

    /**
     * Stores why an attempt failed, and schedules the next one in `delay` milliseconds. The mail is
     * dead if there is no delay, or if that would be too late. Returns whether it is dead. Does
     * nothing if another node has claimed the mail since.
     */
    async fail(mail: ClaimedMail, lastError: string, delay: number | undefined): Promise<boolean> {
      const next = fromNow(delay ?? 0)
      const deadAt =
        delay === undefined
          ? sql`now()`
          : sql`case when ${mails.sendUntil} < ${next} then now() end`
      const failed = orm
        .update(mails)
        .set({ dueAt: next, deadAt, lastError })
        .where(isStillOurs(mail))
        .returning({ deadAt: mails.deadAt })
      return Boolean((await query(failed))[0]?.deadAt)
    },

    /** Releases a claim whose attempt was aborted, so that any node can claim it at once. */
    async release(mail: ClaimedMail): Promise<void> {
      await query(orm.update(mails).set({ dueAt: sql`now()` }).where(isStillOurs(mail)))
    },

    /** Deletes some mails that nobody needs any more, and returns how many. */
    async deleteOld(): Promise<number> {
      const isUnneeded = or(
        and(isNotNull(mails.deadAt), lt(mails.deadAt, ago(DEAD_RETENTION))),
        and(isNull(mails.deadAt), lt(mails.sendUntil, ago(UNSENT_RETENTION))),
      )
      const old = orm
        .$with('old')
        .as(
          orm
            .select({ id: mails.id })
            .from(mails)
            .where(isUnneeded)
            .limit(DELETE_BATCH)
            .for('update', { skipLocked: true }),
        )
      const deleted = orm
        .with(old)
        .delete(mails)
        .where(sql`${mails.id} in (select id from ${old})`)
        .returning({ id: mails.id })
      return (await query(deleted)).length
    },
  }
}

/** Selects the mails of the same user that must be sent, or be dead, before the outer one. */
function predecessorsOf(orm: Database['orm']) {
  const earlier = alias(mails, 'earlier')
  return orm
    .select({ id: earlier.id })
    .from(earlier)
    .where(
      and(eq(earlier.userId, mails.userId), lt(earlier.seq, mails.seq), isNull(earlier.deadAt)),
    )
}
