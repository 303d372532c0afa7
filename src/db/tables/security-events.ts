import { sql } from 'drizzle-orm'
import { bigint, index, integer, jsonb, text, uuid } from 'drizzle-orm/pg-core'
import { moment, pawlSchema } from './pawl-schema.ts'

/**
 * There are no foreign keys, because events stay on record after the account is deleted. The ids
 * are version 7 UUIDs made from `at`, so that their order is the order in time.
 */
export const securityEvents = pawlSchema.table(
  'security_events',
  {
    id: uuid('id').primaryKey(),
    at: moment('at').notNull(),
    type: text('type').notNull(),
    userId: text('user_id'),
    sessionId: uuid('session_id'),
    /** The user who caused the event, if it is not the user it is about. */
    actorId: text('actor_id'),
    ip: text('ip'),
    userAgent: text('user_agent'),
    detail: jsonb('detail').notNull().default({}),
  },
  (table) => [
    index('security_events_user_id').on(table.userId, table.id),
    index('security_events_session_id').on(table.sessionId, table.id),
    index('security_events_type').on(table.type, table.id),
  ],
)

/** Events to deliver to the webhook, and dead deliveries. Delivered ones are deleted. */
export const webhookDeliveries = pawlSchema.table(
  'webhook_deliveries',
  {
    eventId: uuid('event_id')
      .primaryKey()
      .references(() => securityEvents.id, { onDelete: 'cascade' }),
    /** The session, or else the user. Each queue is delivered in the order of `seq`. */
    queue: text('queue').notNull(),
    seq: bigint('seq', { mode: 'number' }).notNull().generatedAlwaysAsIdentity(),
    createdAt: moment('created_at').notNull().defaultNow(),
    /** When the next attempt is due or, during an attempt, when another node may take over. */
    dueAt: moment('due_at').notNull().defaultNow(),
    attempts: integer('attempts').notNull().default(0),
    firstTriedAt: moment('first_tried_at'),
    /** The status or error code of the last attempt. */
    lastError: text('last_error'),
    /** When the delivery was given up. The rest of its queue continues. */
    deadAt: moment('dead_at'),
  },
  (table) => [
    index('webhook_deliveries_due').on(table.dueAt).where(sql`${table.deadAt} is null`),
    index('webhook_deliveries_queue')
      .on(table.queue, table.seq)
      .where(sql`${table.deadAt} is null`),
  ],
)
