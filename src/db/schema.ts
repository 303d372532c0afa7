import { sql } from 'drizzle-orm'
import {
  bigint,
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

/** What tokens are signed with. Which key is next, current or retired follows from the times, by the clock of Postgres. */
export const signingKeys = pgTable(
  'signing_keys',
  {
    kid: text('kid').primaryKey(),
    purpose: text('purpose', { enum: ['access', 'refresh'] }).notNull(),
    algorithm: text('algorithm', { enum: ['EdDSA', 'ES256', 'RS256', 'HS256'] }).notNull(),
    /** The public half, of an access key. */
    jwk: jsonb('jwk').$type<Record<string, string>>(),
    /** The private half, encrypted. Taken away when the key is gone; the row stays, so that its id is never used again. */
    sealed: text('sealed'),
    /** Milliseconds for which a token that it signs may matter. */
    tokenLife: bigint('token_life', { mode: 'number' }).notNull(),
    createdAt: moment('created_at').notNull(),
    /** By then everybody who verifies has seen it. */
    readyAt: moment('ready_at').notNull(),
    signsFrom: moment('signs_from'),
    retiredAt: moment('retired_at'),
    expiresAt: moment('expires_at'),
    /** Retired at once, its tokens refused. */
    revokedAt: moment('revoked_at'),
  },
  (table) => [
    index('signing_keys_alive').on(table.purpose).where(sql`${table.sealed} is not null`),
    index('signing_keys_revoked_at').on(table.revokedAt).where(sql`${table.revokedAt} is not null`),
    check('signing_keys_purpose_known', sql`${table.purpose} in ('access', 'refresh')`),
  ],
)
