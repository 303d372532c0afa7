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
    verChangedAt: moment('ver_changed_at'),
    /** Made by the seeding command, not by a person signing up. */
    seeded: boolean('seeded').notNull().default(false),
    createdAt: moment('created_at').notNull().defaultNow(),
    updatedAt: moment('updated_at').notNull().defaultNow(),
  },
  (table) => [
    uniqueIndex('users_email_unique').on(sql`lower(${table.email})`),
    index('users_ver_changed_at').on(table.verChangedAt).where(sql`${table.verChangedAt} is not null`),
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
