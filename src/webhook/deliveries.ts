import { and, asc, eq, gt, inArray, isNotNull, isNull, lt, or, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import type { Database } from '../db/database.ts'
import { securityEvents, webhookDeliveries } from '../db/schema.ts'

export type DeliveryState = 'waiting' | 'trying' | 'dead'

/** A delivery that has not arrived. Times are in milliseconds since the epoch. */
export interface DeliveryView {
  /** Its place in the order of all. */
  no: number
  eventId: string
  type: string
  userId: string | null
  sessionId: string | null
  state: DeliveryState
  /** Begun so far. */
  attempts: number
  lastError: string | null
  createdAt: number
  /** Not before. Null of one that is dead, and of one whose turn comes after another's of the same session or user. */
  nextAttemptAt: number | null
  deadAt: number | null
}

export interface DeliveryFilter {
  /** Only the dead. */
  dead: boolean
  /** The number of a delivery: only those behind it. */
  after?: number | undefined
}

/** By number, or by the id of the event. */
export type DeliveryName = number | string

/** What an operator sees of the webhook's deliveries, and does with those that are dead. */
export function createDeliveries({ orm, query }: Database) {
  const deliveries = webhookDeliveries
  const named = (names: readonly DeliveryName[]) =>
    or(
      inArray(
        deliveries.seq,
        names.filter((name) => typeof name === 'number'),
      ),
      inArray(
        deliveries.eventId,
        names.filter((name) => typeof name === 'string'),
      ),
    )

  return {
    /** In the order in which they are sent. */
    async list({ dead, after = 0 }: DeliveryFilter, most: number): Promise<DeliveryView[]> {
      const { seq, eventId, attempts, lastError, createdAt, dueAt, deadAt } = deliveries
      const { type, userId, sessionId } = securityEvents
      const earlier = alias(deliveries, 'earlier')
      const predecessors = orm
        .select({ eventId: earlier.eventId })
        .from(earlier)
        .where(
          and(eq(earlier.queue, deliveries.queue), lt(earlier.seq, seq), isNull(earlier.deadAt)),
        )
      const isBehind = sql<boolean>`exists ${predecessors}`
      const found = orm
        .select({
          no: seq,
          ...{
            eventId,
            type,
            userId,
            sessionId,
            attempts,
            lastError,
            createdAt,
            dueAt,
            deadAt,
            isBehind,
          },
        })
        .from(deliveries)
        .innerJoin(securityEvents, eq(securityEvents.id, eventId))
        .where(and(gt(seq, after), dead ? isNotNull(deadAt) : undefined))
        .orderBy(asc(seq))
        .limit(most)
      return (await query(found)).map(({ isBehind, dueAt, deadAt, createdAt, ...row }) => ({
        ...row,
        state: deadAt ? 'dead' : row.attempts > 0 ? 'trying' : 'waiting',
        createdAt: createdAt.getTime(),
        nextAttemptAt: deadAt || isBehind ? null : dueAt.getTime(),
        deadAt: deadAt?.getTime() ?? null,
      }))
    },

    /** Those of the names that there are. */
    async find(
      names: readonly DeliveryName[],
    ): Promise<{ no: number; eventId: string; isDead: boolean }[]> {
      const { seq: no, eventId } = deliveries
      const isDead = sql<boolean>`${deliveries.deadAt} is not null`
      return query(orm.select({ no, eventId, isDead }).from(deliveries).where(named(names)))
    },

    /** How many are dead. */
    async countDead(): Promise<number> {
      return query(orm.$count(deliveries, isNotNull(deliveries.deadAt)))
    },

    /**
     * Have the dead tried again from now on, as long as new ones: those of these events, or all. Each keeps its place in the
     * order of its session, and the count of its attempts. Answers the ids of the events.
     */
    async revive(eventIds?: readonly string[]): Promise<string[]> {
      const { eventId, deadAt } = deliveries
      const revived = orm
        .update(deliveries)
        .set({ deadAt: null, firstTriedAt: null, dueAt: sql`now()` })
        .where(and(isNotNull(deadAt), eventIds && inArray(eventId, [...eventIds])))
        .returning({ eventId, no: deliveries.seq })
      return (await query(revived)).sort((a, b) => a.no - b.no).map(({ eventId }) => eventId)
    },
  }
}
