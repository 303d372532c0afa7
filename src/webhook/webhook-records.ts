import { and, asc, eq, inArray, isNull, lt, lte, notExists, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import type { Database } from '../db/database.ts'
import { securityEvents, webhookDeliveries } from '../db/schema.ts'
import { describeEvent } from '../events/event-records.ts'
import type { RecordedEvent } from '../schemas/events.ts'

/** An attempt that is this process's to make. */
export interface Delivery {
  event: RecordedEvent
  /** Counts this one. */
  attempts: number
}

/** Deliveries that are given up in one statement. */
const DISCARDED_AT_ONCE = 1_000

export type WebhookRecords = ReturnType<typeof createWebhookRecords>

/** The `webhook_deliveries` table. All times are those of Postgres, so that the nodes need not agree on theirs. */
export function createWebhookRecords({ orm, query }: Database) {
  const deliveries = webhookDeliveries
  const later = (ms: number) => sql`now() + ${`${ms} milliseconds`}::interval`
  const agoAs = (ms: number) => sql`now() - ${`${ms} milliseconds`}::interval`

  /** The first of each queue whose time has come. */
  function heads(most: number) {
    const earlier = alias(deliveries, 'earlier')
    const predecessors = orm
      .select({ eventId: earlier.eventId })
      .from(earlier)
      .where(
        and(
          eq(earlier.queue, deliveries.queue),
          lt(earlier.seq, deliveries.seq),
          isNull(earlier.deadAt),
        ),
      )
    return orm.$with('heads').as(
      orm
        .select({ eventId: deliveries.eventId })
        .from(deliveries)
        .where(
          and(
            isNull(deliveries.deadAt),
            lte(deliveries.dueAt, sql`now()`),
            notExists(predecessors),
          ),
        )
        .orderBy(asc(deliveries.dueAt))
        .limit(most)
        .for('update', { skipLocked: true }),
    )
  }

  return {
    /** Take up to so many deliveries; after `lease` milliseconds another node may take what was not settled. */
    async claim(most: number, lease: number): Promise<Delivery[]> {
      const due = heads(most)
      const claimed = await query(
        orm
          .with(due)
          .update(deliveries)
          .set({
            dueAt: later(lease),
            attempts: sql`${deliveries.attempts} + 1`,
            firstTriedAt: sql`coalesce(${deliveries.firstTriedAt}, now())`,
          })
          .where(sql`${deliveries.eventId} in (select event_id from ${due})`)
          .returning({ eventId: deliveries.eventId, attempts: deliveries.attempts }),
      )
      if (claimed.length === 0) return []
      const attempts = new Map(claimed.map((row) => [row.eventId, row.attempts]))
      const found = orm
        .select()
        .from(securityEvents)
        .where(inArray(securityEvents.id, [...attempts.keys()]))
      return (await query(found)).map((row) => ({
        event: describeEvent(row),
        attempts: attempts.get(row.id) ?? 1,
      }))
    },

    /** Whoever claimed it since: it was delivered. */
    async delivered({ event }: Delivery): Promise<void> {
      await query(orm.delete(deliveries).where(eq(deliveries.eventId, event.id)))
    },

    /**
     * It did not arrive, for the reason `lastError`: again after so many milliseconds, or never, where the first attempt is
     * longer ago than `webhookRetryFor`. Answers whether it was given up. Does nothing where another node has claimed it since.
     */
    async failed(
      { event, attempts }: Delivery,
      lastError: string,
      after: number,
      webhookRetryFor: number,
    ): Promise<boolean> {
      const deadAt = sql`case when ${deliveries.firstTriedAt} < ${agoAs(webhookRetryFor)} then now() end`
      const mine = and(eq(deliveries.eventId, event.id), eq(deliveries.attempts, attempts))
      const settled = orm
        .update(deliveries)
        .set({ dueAt: later(after), deadAt, lastError })
        .where(mine)
        .returning({ deadAt: deliveries.deadAt })
      return Boolean((await query(settled))[0]?.deadAt)
    },

    /** Give back what could not be tried. */
    async release({ event, attempts }: Delivery): Promise<void> {
      const mine = and(eq(deliveries.eventId, event.id), eq(deliveries.attempts, attempts))
      await query(orm.update(deliveries).set({ dueAt: sql`now()` }).where(mine))
    },

    /** Forget what nobody asked for, where it is older than so many milliseconds; answers how many. */
    async discardOlder(ms: number): Promise<number> {
      const old = orm.$with('old').as(
        orm
          .select({ eventId: deliveries.eventId })
          .from(deliveries)
          .where(and(isNull(deliveries.deadAt), lt(deliveries.createdAt, agoAs(ms))))
          .limit(DISCARDED_AT_ONCE)
          .for('update', { skipLocked: true }),
      )
      const gone = orm
        .with(old)
        .delete(deliveries)
        .where(sql`${deliveries.eventId} in (select event_id from ${old})`)
      return (await query(gone.returning({ eventId: deliveries.eventId }))).length
    },
  }
}
