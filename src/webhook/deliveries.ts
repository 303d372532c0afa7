import { and, asc, eq, gt, inArray, isNotNull, or, sql } from 'drizzle-orm'
import type { Database } from '../db/database.ts'
import { webhookDeliveries as deliveries, securityEvents } from '../db/schema.ts'
import { predecessorsOf } from './delivery-queue.ts'

/** Waiting for the first attempt, failed and to be tried again, or given up. */
type DeliveryState = 'waiting' | 'trying' | 'dead'

/** A delivery that has not arrived. Times are in milliseconds since 1970. */
export interface DeliveryView {
  /** Its number, which gives the order of all deliveries. */
  no: number
  eventId: string
  type: string
  userId: string | null
  sessionId: string | null
  state: DeliveryState
  /** The number of attempts so far, the one in flight included. */
  attempts: number
  lastError: string | null
  createdAt: number
  /**
   * The earliest time of the next attempt. Null if the delivery is dead, or if an earlier one of
   * the same session or user must arrive first.
   */
  nextAttemptAt: number | null
  deadAt: number | null
}

export interface DeliveryFilter {
  /** Whether to return only dead deliveries. */
  dead: boolean
  /** The number of a delivery: only later ones match. */
  after?: number | undefined
}

/** The number of a delivery, or the id of its event. */
export type DeliveryRef = number | string

/** Creates an operator's view of the deliveries, and the way to retry dead ones. */
export function createDeliveries({ orm, query }: Database) {
  const { seq: no, eventId, attempts, lastError, createdAt, dueAt, deadAt } = deliveries

  return {
    /** Returns up to `count` deliveries that have not arrived, in the order of sending. */
    async list({ dead, after = 0 }: DeliveryFilter, count: number): Promise<DeliveryView[]> {
      const { type, userId, sessionId } = securityEvents
      const hasPredecessor = sql<boolean>`exists ${predecessorsOf(orm)}`
      const event = { eventId, type, userId, sessionId }
      const progress = { attempts, lastError, createdAt, dueAt, deadAt, hasPredecessor }
      const rows = await query(
        orm
          .select({ no, ...event, ...progress })
          .from(deliveries)
          .innerJoin(securityEvents, eq(securityEvents.id, eventId))
          .where(and(gt(no, after), dead ? isNotNull(deadAt) : undefined))
          .orderBy(asc(no))
          .limit(count),
      )
      return rows.map(({ hasPredecessor, dueAt, deadAt, createdAt, ...row }) => ({
        ...row,
        state: deadAt ? 'dead' : row.attempts > 0 ? 'trying' : 'waiting',
        createdAt: createdAt.getTime(),
        nextAttemptAt: deadAt || hasPredecessor ? null : dueAt.getTime(),
        deadAt: deadAt?.getTime() ?? null,
      }))
    },

    /** Returns the deliveries that exist among the given ones. */
    async find(
      refs: readonly DeliveryRef[],
    ): Promise<{ no: number; eventId: string; isDead: boolean }[]> {
      const numbers = refs.filter((ref) => typeof ref === 'number')
      const eventIds = refs.filter((ref) => typeof ref === 'string')
      const isDead = sql<boolean>`${deadAt} is not null`
      return query(
        orm
          .select({ no, eventId, isDead })
          .from(deliveries)
          .where(or(inArray(no, numbers), inArray(eventId, eventIds))),
      )
    },

    /** Returns the number of dead deliveries. */
    async countDead(): Promise<number> {
      return query(orm.$count(deliveries, isNotNull(deadAt)))
    },

    /**
     * Schedules dead deliveries again, those of the given events or all, for as long as new ones.
     * Each keeps its place in the order of its session and its count of attempts. Returns the ids
     * of the events.
     */
    async retry(eventIds?: readonly string[]): Promise<string[]> {
      const retried = orm
        .update(deliveries)
        .set({ deadAt: null, firstTriedAt: null, dueAt: sql`now()` })
        .where(and(isNotNull(deadAt), eventIds && inArray(eventId, [...eventIds])))
        .returning({ eventId, no })
      return (await query(retried)).sort((a, b) => a.no - b.no).map(({ eventId }) => eventId)
    },
  }
}
