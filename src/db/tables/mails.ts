import { sql } from 'drizzle-orm'
import { bigint, index, integer, jsonb, text, uuid } from 'drizzle-orm/pg-core'
import { moment, pawlSchema } from './pawl-schema.ts'
import { users } from './users.ts'

/**
 * The outbox: mails to send, and dead ones. A mail that was sent is deleted. No token and no code
 * is in it, since the worker makes them when it sends the mail.
 */
export const mails = pawlSchema.table(
  'mails',
  {
    id: uuid('id').primaryKey(),
    seq: bigint('seq', { mode: 'number' }).notNull().generatedAlwaysAsIdentity(),
    /** The mails of one user are sent in the order of `seq`. */
    userId: text('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    address: text('address').notNull(),
    purpose: text('purpose').notNull(),
    /** What the text of the mail mentions, such as a device. */
    facts: jsonb('facts').$type<Record<string, string>>().notNull().default({}),
    createdAt: moment('created_at').notNull().defaultNow(),
    /** When attempts end. Later the mail would only confuse its reader. */
    sendUntil: moment('send_until').notNull(),
    /** When the next attempt is due or, during an attempt, when another node may take over. */
    dueAt: moment('due_at').notNull().defaultNow(),
    attempts: integer('attempts').notNull().default(0),
    /** The reply code of the mail server, or the error code, of the last attempt. */
    lastError: text('last_error'),
    /** When the mail was given up. The rest of its queue continues. */
    deadAt: moment('dead_at'),
  },
  (table) => [
    index('mails_due').on(table.dueAt).where(sql`${table.deadAt} is null`),
    index('mails_user').on(table.userId, table.seq),
  ],
)
