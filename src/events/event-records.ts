import { and, desc, eq, gte, isNull, lt, notExists, type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/database.ts'
import { securityEvents, webhookDeliveries } from '../db/schema.ts'
import type { RecordedEvent } from '../schemas/events.ts'
import { deviceColumns } from '../sessions/device.ts'
import { type SecurityEvent, WEBHOOK_TYPES } from './event.ts'
import { firstIdAt, newEventId } from './event-id.ts'

export interface EventFilter {
  type?: string | undefined
  userId?: string | undefined
  sessionId?: string | undefined
  /** Milliseconds since the epoch: from is included, to is not. */
  from?: number | undefined
  to?: number | undefined
  /** The id of an event: only what is older. */
  before?: string | undefined
}

/** A row as it will be, so that writing it twice writes it once. */
export type EventRow = ReturnType<typeof toRow>

/** The database, or a transaction on it. */
type Executor = Pick<Database['orm'], 'execute'>

/** Rows that one statement deletes. */
const DELETED_AT_ONCE = 1_000

export type EventRecords = ReturnType<typeof createEventRecords>

/** Gives an event its id. */
export function toRow({ at, device, ...event }: SecurityEvent) {
  return { id: newEventId(at), at: new Date(at), ...event, ...(device && deviceColumns(device)) }
}

/**
 * Put events on record in the transaction of the change that they are about: for what must never be lost. Call it after the
 * statement that locks the session or the user: the webhook hears of one session's events in the order of these calls.
 */
export async function insertEvents(tx: Executor, ...events: SecurityEvent[]): Promise<void> {
  await insertRows(tx, events.map(toRow))
}

/** Idempotent. What the webhook is to be told is queued by the same statement. */
async function insertRows(executor: Executor, rows: readonly EventRow[]): Promise<void> {
  const types = sql.join(
    WEBHOOK_TYPES.map((type) => sql`${type}`),
    sql`, `,
  )
  await executor.execute(sql`
    with made as (
      insert into security_events (id, at, type, user_id, session_id, actor_id, ip, user_agent, detail)
      select id, at, type, "userId", "sessionId", "actorId", ip, "userAgent", detail
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as v(
        id uuid, at timestamptz, type text, "userId" uuid, "sessionId" uuid, "actorId" uuid, ip text, "userAgent" text,
        detail jsonb)
      on conflict do nothing
      returning id, type, coalesce(session_id, user_id, '00000000-0000-0000-0000-000000000000') as queue)
    insert into webhook_deliveries (event_id, queue)
    select id, queue from made where type in (${types}) order by id`)
}

/** The `security_events` table. */
export function createEventRecords({ orm, query }: Database) {
  return {
    /** Idempotent. */
    insert: (rows: readonly EventRow[]): Promise<void> => query(insertRows(orm, rows)),

    /** The newest first. */
    async page({ type, userId, sessionId, from, to, before }: EventFilter, most: number) {
      const conditions: (SQL | false | undefined)[] = [
        type !== undefined && eq(securityEvents.type, type),
        userId !== undefined && eq(securityEvents.userId, userId),
        sessionId !== undefined && eq(securityEvents.sessionId, sessionId),
        from !== undefined && gte(securityEvents.id, firstIdAt(from)),
        to !== undefined && lt(securityEvents.id, firstIdAt(to)),
        before !== undefined && lt(securityEvents.id, before),
      ]
      const found = orm
        .select()
        .from(securityEvents)
        .where(and(...conditions.filter((condition) => condition !== false)))
        .orderBy(desc(securityEvents.id))
        .limit(most)
      return (await query(found)).map(describeEvent)
    },

    /**
     * Delete events that are older than so many milliseconds, a bounded number; answers how many. What the webhook has yet
     * to hear of stays. The time is that of Postgres: `now` only spares it a look at what is younger.
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
              lt(securityEvents.at, sql`now() - ${`${ms} milliseconds`}::interval`),
              notExists(undelivered),
            ),
          )
          .orderBy(securityEvents.id)
          .limit(DELETED_AT_ONCE)
          .for('update', { skipLocked: true }),
      )
      const gone = orm
        .with(old)
        .delete(securityEvents)
        .where(sql`${securityEvents.id} in (select id from ${old})`)
      return (await query(gone.returning({ id: securityEvents.id }))).length
    },
  }
}

/** As programs are told of it: what is not known is not there. */
export function describeEvent(row: typeof securityEvents.$inferSelect): RecordedEvent {
  const { id, at, type, userId, sessionId, actorId, ip, userAgent, detail } = row
  return {
    id,
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
