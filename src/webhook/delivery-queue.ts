import { and, asc, eq, inArray, isNull, lt, lte, notExists, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import type { Database } from '../db/database.ts'
import { ago, fromNow } from '../db/interval.ts'
import { webhookDeliveries as deliveries, securityEvents } from '../db/schema.ts'
import type { RecordedEvent } from '../events/event.ts'
import { toRecordedEvent } from '../events/event-records.ts'

/** An attempt that this process has claimed. */
export interface Delivery {
  event: RecordedEvent
  /** The number of attempts, this one included. */
  attempts: number
}

/** The maximum number of deliveries that one statement deletes. */
const DELETE_BATCH = 1_000

export type DeliveryQueue = ReturnType<typeof createDeliveryQueue>

/**
 * Creates the access of the delivery worker to the `webhook_deliveries` table. All times are those
 * of Postgres, so the clocks of the nodes do not matter.
 */
export function createDeliveryQueue({ orm, query }: Database) {
  /** Selects the deliveries that are due and first in their queue. */
  function dueDeliveries(count: number) {
    const isDue = lte(deliveries.dueAt, sql`now()`)
    return orm.$with('due').as(
      orm
        .select({ eventId: deliveries.eventId })
        .from(deliveries)
        .where(and(isNull(deliveries.deadAt), isDue, notExists(predecessorsOf(orm))))
        .orderBy(asc(deliveries.dueAt))
        .limit(count)
        .for('update', { skipLocked: true }),
    )
  }

  /** Matches the delivery only if no other node has claimed it since. */
  const isStillOurs = ({ event, attempts }: Delivery) =>
    and(eq(deliveries.eventId, event.id), eq(deliveries.attempts, attempts))

  return {
    /**
     * Claims up to `count` deliveries. If no outcome is stored within `lease` milliseconds, another
     * node may claim them.
     */
    async claim(count: number, lease: number): Promise<Delivery[]> {
      const due = dueDeliveries(count)
      const claimed = await query(
        orm
          .with(due)
          .update(deliveries)
          .set({
            dueAt: fromNow(lease),
            attempts: sql`${deliveries.attempts} + 1`,
            firstTriedAt: sql`coalesce(${deliveries.firstTriedAt}, now())`,
          })
          .where(sql`${deliveries.eventId} in (select event_id from ${due})`)
          .returning({ eventId: deliveries.eventId, attempts: deliveries.attempts }),
      )
      if (claimed.length === 0) return []
      const attempts = new Map(claimed.map((row) => [row.eventId, row.attempts]))
      const events = orm
        .select()
        .from(securityEvents)
        .where(inArray(securityEvents.id, [...attempts.keys()]))
      return (await query(events)).map((row) => ({
        event: toRecordedEvent(row),
        attempts: attempts.get(row.id) ?? 1,
      }))
    },

    /** Removes a delivery that the receiver has accepted, even if another node has claimed it. */
    async complete({ event }: Delivery): Promise<void> {
      await query(orm.delete(deliveries).where(eq(deliveries.eventId, event.id)))
    },

    /**
     * Stores why an attempt failed, and schedules the next one in `delay` milliseconds. If the
     * first attempt is more than `retryFor` milliseconds ago, the delivery is dead instead. Returns
     * whether it is dead. Does nothing if another node has claimed the delivery since.
     */
    async fail(
      delivery: Delivery,
      lastError: string,
      delay: number,
      retryFor: number,
    ): Promise<boolean> {
      const deadAt = sql`case when ${deliveries.firstTriedAt} < ${ago(retryFor)} then now() end`
      const failed = orm
        .update(deliveries)
        .set({ dueAt: fromNow(delay), deadAt, lastError })
        .where(isStillOurs(delivery))
        .returning({ deadAt: deliveries.deadAt })
      return Boolean((await query(failed))[0]?.deadAt)
    },

    /** Releases a claim whose attempt was aborted, so that any node can claim it at once. */
    async release(delivery: Delivery): Promise<void> {
      const released = orm.update(deliveries).set({ dueAt: sql`now()` })
      await query(released.where(isStillOurs(delivery)))
    },

    /**
     * Deletes a bounded number of deliveries that are older than `ms` milliseconds and not dead,
     * and returns how many. For installations without a webhook.
     */
    async deleteOlder(ms: number): Promise<number> {
      const old = orm.$with('old').as(
        orm
          .select({ eventId: deliveries.eventId })
          .from(deliveries)
          .where(and(isNull(deliveries.deadAt), lt(deliveries.createdAt, ago(ms))))
          .limit(DELETE_BATCH)
          .for('update', { skipLocked: true }),
      )
      const deleted = orm
        .with(old)
        .delete(deliveries)
        .where(sql`${deliveries.eventId} in (select event_id from ${old})`)
        .returning({ eventId: deliveries.eventId })
      return (await query(deleted)).length
    },
  }
}

/** Selects the deliveries that must arrive, or be dead, before the one of the outer query. */
export function predecessorsOf(orm: Database['orm']) {
  const earlier = alias(deliveries, 'earlier')
  return orm
    .select({ eventId: earlier.eventId })
    .from(earlier)
    .where(
      and(
        eq(earlier.queue, deliveries.queue),
        lt(earlier.seq, deliveries.seq),
        isNull(earlier.deadAt),
      ),
    )
}
