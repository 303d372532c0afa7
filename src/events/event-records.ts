import { and, desc, eq, gte, isNull, lt, notExists, type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/database.ts'
import { ago } from '../db/interval.ts'
import { securityEvents, webhookDeliveries } from '../db/schema.ts'
import { deviceColumns } from '../sessions/device.ts'
import type { RecordedEvent, SecurityEvent } from './event.ts'
import { firstIdAt, newEventId } from './event-id.ts'
import { WEBHOOK_TYPES } from './event-types.ts'

export interface EventFilter {
  type?: string | undefined
  userId?: string | undefined
  sessionId?: string | undefined
  /** Milliseconds since 1970, inclusive. */
  from?: number | undefined
  /** Milliseconds since 1970, exclusive. */
  to?: number | undefined
  /** The id of an event: only older events match. */
  before?: string | undefined
}

/** A row to be inserted. It has its id already, so writing it twice stores it once. */
export type EventRow = ReturnType<typeof toRow>

/** The database, or a transaction on it. */
type Executor = Pick<Database['orm'], 'execute'>

/** The maximum number of rows that one statement deletes. */
const DELETE_BATCH = 1_000

/** The queue of events that concern neither a session nor a user. No user has this id. */
const COMMON_QUEUE = ''

export type EventRecords = ReturnType<typeof createEventRecords>

/** Returns the row of an event, with a new id. */
export function toRow({ at, device, ...event }: SecurityEvent) {
  return { id: newEventId(at), at: new Date(at), ...event, ...(device && deviceColumns(device)) }
}

/**
 * Inserts events in the transaction of the change that they describe, so that they cannot be lost.
 * Call it after the statement that locks the session or the user: the webhook receives the events
 * of one session in the order of these calls.
 */
export async function insertEvents(tx: Executor, ...events: SecurityEvent[]): Promise<void> {
  await insertRows(tx, events.map(toRow))
}

/** Inserts rows, and queues the webhook's deliveries in the same statement. Idempotent. */
async function insertRows(executor: Executor, rows: readonly EventRow[]): Promise<void> {
  const webhookTypes = sql.join(
    WEBHOOK_TYPES.map((type) => sql`${type}`),
    sql`, `,
  )
  await executor.execute(sql`
    with inserted as (
      insert into ${securityEvents}
        (id, at, type, user_id, session_id, actor_id, ip, user_agent, detail)
      select id, at, type, "userId", "sessionId", "actorId", ip, "userAgent", detail
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as v(
        id uuid, at timestamptz, type text, "userId" text, "sessionId" uuid, "actorId" text,
        ip text, "userAgent" text, detail jsonb)
      on conflict do nothing
      returning id, type, coalesce(session_id::text, user_id, ${COMMON_QUEUE}) as queue)
    insert into ${webhookDeliveries} (event_id, queue)
    select id, queue from inserted where type in (${webhookTypes}) order by id`)
}

/** Creates the access to the `security_events` table. */
export function createEventRecords({ orm, query }: Database) {
  return {
    /** Inserts rows. Idempotent. */
    insert: (rows: readonly EventRow[]): Promise<void> => query(insertRows(orm, rows)),

    /** Returns up to `count` events that match the filter, the newest first. */
    async list(
      { type, userId, sessionId, from, to, before }: EventFilter,
      count: number,
    ): Promise<RecordedEvent[]> {
      const conditions: (SQL | false | undefined)[] = [
        type !== undefined && eq(securityEvents.type, type),
        userId !== undefined && eq(securityEvents.userId, userId),
        sessionId !== undefined && eq(securityEvents.sessionId, sessionId),
        from !== undefined && gte(securityEvents.id, firstIdAt(from)),
        to !== undefined && lt(securityEvents.id, firstIdAt(to)),
        before !== undefined && lt(securityEvents.id, before),
      ]
      const rows = await query(
        orm
          .select()
          .from(securityEvents)
          .where(and(...conditions.filter((condition) => condition !== false)))
          .orderBy(desc(securityEvents.id))
          .limit(count),
      )
      return rows.map(toRecordedEvent)
    },

    /**
     * Deletes a bounded number of events that are older than `ms` milliseconds, and returns how
     * many. Events that the webhook has not received yet stay. The clock of Postgres decides;
     * `now` only narrows the range of ids that Postgres reads.
     */
    async deleteOlder(ms: number, now: number): Promise<number> {
      const { eventId, deadAt } = webhookDeliveries
      const undelivered = orm
        .select({ eventId })
        .from(webhookDeliveries)
        .where(and(eq(eventId, securityEvents.id), isNull(deadAt)))
      const old = orm.$with('old').as(
        orm
          .select({ id: securityEvents.id })
          .from(securityEvents)
          .where(
            and(
              lt(securityEvents.id, firstIdAt(now - ms)),
              lt(securityEvents.at, ago(ms)),
              notExists(undelivered),
            ),
          )
          .orderBy(securityEvents.id)
          .limit(DELETE_BATCH)
          .for('update', { skipLocked: true }),
      )
      const deleted = orm
        .with(old)
        .delete(securityEvents)
        .where(sql`${securityEvents.id} in (select id from ${old})`)
        .returning({ id: securityEvents.id })
      return (await query(deleted)).length
    },
  }
}

/** Returns a stored event in the form in which the API and the webhook show it. */
export function toRecordedEvent({ id, ...row }: typeof securityEvents.$inferSelect): RecordedEvent {
  return { id, ...toFields(row) }
}

type Fields = Pick<typeof securityEvents.$inferInsert, 'at' | 'type' | 'detail'> &
  Partial<
    Record<'userId' | 'sessionId' | 'actorId' | 'ip' | 'userAgent', string | null | undefined>
  >

/** Returns the fields of an event without those that are unknown. */
export function toFields({ at, type, userId, sessionId, actorId, ip, userAgent, detail }: Fields) {
  return {
    at: at.toISOString(),
    type,
    ...(userId && { userId }),
    ...(sessionId && { sessionId }),
    ...(actorId && { actorId }),
    ...(ip && { ip }),
    ...(userAgent && { userAgent }),
    detail: detail as Record<string, unknown>,
  }
}
