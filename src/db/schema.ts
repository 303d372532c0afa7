import { sql } from 'drizzle-orm'
import {
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'

const moment = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })

export const users = pgTable(
  'users',
  {
    id: uuid('id').primaryKey(),
    email: text('email').notNull(),
    /** PHC string of argon2id: parameters, salt and hash. */
    passwordHash: text('password_hash').notNull(),
    roles: text('roles').array().notNull().default(sql`'{}'`),
    status: text('status', { enum: ['active', 'disabled'] })
      .notNull()
      .default('active'),
    /** Authorization version: access tokens below it are dead. */
    ver: integer('ver').notNull().default(1),
    /** Made by the seeding command, not by a person signing up. */
    seeded: boolean('seeded').notNull().default(false),
    createdAt: moment('created_at').notNull().defaultNow(),
    updatedAt: moment('updated_at').notNull().defaultNow(),
  },
  (table) => [
    uniqueIndex('users_email_unique').on(sql`lower(${table.email})`),
    // For a search by the beginning of an address, and paging in its order, whatever the collation of the database.
    index('users_email_prefix').on(sql`lower(${table.email}) collate "C"`),
    check('users_status_known', sql`${table.status} in ('active', 'disabled')`),
    // The form of the roles that the schemas take: a list with a space in it would read as two roles in the hot state.
    check('users_roles_plain', sql`array_to_string(${table.roles}, ',') ~ '^([a-z][a-z0-9:_,-]*)?$'`),
  ],
)

export const sessions = pgTable(
  'sessions',
  {
    id: uuid('id').primaryKey(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    createdAt: moment('created_at').notNull(),
    /** Absolute: no refresh moves it. */
    expiresAt: moment('expires_at').notNull(),
    lastSeenAt: moment('last_seen_at').notNull(),
    /** A checkpoint: the hot state may be ahead of it, never behind. */
    generation: integer('generation').notNull().default(1),
    revokedAt: moment('revoked_at'),
    revokedReason: text('revoked_reason'),
    /** When every node had been told of the revocation; what has none is told by the sweep. */
    publishedAt: moment('published_at'),
    userAgent: text('user_agent'),
    ip: text('ip'),
  },
  (table) => [
    index('sessions_user_id').on(table.userId),
    index('sessions_revoked_at').on(table.revokedAt).where(sql`${table.revokedAt} is not null`),
    index('sessions_unpublished')
      .on(table.revokedAt)
      .where(sql`${table.revokedAt} is not null and ${table.publishedAt} is null`),
  ],
)

/**
 * The last change that made access tokens of a user die: each below `ver`, but for those of one session. No foreign key: it
 * is in force after the account is gone.
 */
export const userRevocations = pgTable(
  'user_revocations',
  {
    userId: uuid('user_id').primaryKey(),
    ver: integer('ver').notNull(),
    /** The sessions ended, too, but for the one. */
    sessionsEnded: boolean('sessions_ended').notNull(),
    exceptSession: uuid('except_session'),
    at: moment('at').notNull(),
    publishedAt: moment('published_at'),
  },
  (table) => [
    index('user_revocations_at').on(table.at),
    index('user_revocations_unpublished').on(table.at).where(sql`${table.publishedAt} is null`),
  ],
)

/** Every session that was opened before one of these is dead. */
export const epochs = pgTable('epochs', {
  startedAt: moment('started_at').primaryKey(),
  at: moment('at').notNull(),
  publishedAt: moment('published_at'),
})

/** No foreign keys: what happened stays on record after the account is gone. */
export const securityEvents = pgTable(
  'security_events',
  {
    id: uuid('id').primaryKey(),
    at: moment('at').notNull(),
    type: text('type').notNull(),
    userId: uuid('user_id'),
    sessionId: uuid('session_id'),
    ip: text('ip'),
    userAgent: text('user_agent'),
    detail: jsonb('detail').notNull().default({}),
  },
  (table) => [index('security_events_user_id').on(table.userId, table.id)],
)
