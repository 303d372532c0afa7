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
    check(
      'users_roles_plain',
      sql`array_to_string(${table.roles}, ',') ~ '^([a-z][a-z0-9:_,-]*)?$'`,
    ),
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
    /** Of the login; and, as late as a checkpoint, of the last refresh. */
    userAgent: text('user_agent'),
    ip: text('ip'),
    lastUserAgent: text('last_user_agent'),
    lastIp: text('last_ip'),
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

/**
 * No foreign keys: what happened stays on record after the account is gone. The ids are UUIDs of version 7 made from `at`, so
 * that their order is that of time.
 */
export const securityEvents = pgTable(
  'security_events',
  {
    id: uuid('id').primaryKey(),
    at: moment('at').notNull(),
    type: text('type').notNull(),
    userId: uuid('user_id'),
    sessionId: uuid('session_id'),
    /** Who did it, where that is not the user himself. */
    actorId: uuid('actor_id'),
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

/** Events that the webhook has yet to hear of, and those that it never took. What it took is deleted. */
export const webhookDeliveries = pgTable(
  'webhook_deliveries',
  {
    eventId: uuid('event_id')
      .primaryKey()
      .references(() => securityEvents.id, { onDelete: 'cascade' }),
    /** The session, or else the user: one queue is delivered in the order of `seq`. */
    queue: uuid('queue').notNull(),
    seq: bigint('seq', { mode: 'number' }).notNull().generatedAlwaysAsIdentity(),
    createdAt: moment('created_at').notNull().defaultNow(),
    /** Not before; while an attempt is under way, when another node may take over. */
    dueAt: moment('due_at').notNull().defaultNow(),
    attempts: integer('attempts').notNull().default(0),
    firstTriedAt: moment('first_tried_at'),
    /** Of the attempt before: a status, or a code. */
    lastError: text('last_error'),
    /** Given up: its queue goes on without it. */
    deadAt: moment('dead_at'),
  },
  (table) => [
    index('webhook_deliveries_due').on(table.dueAt).where(sql`${table.deadAt} is null`),
    index('webhook_deliveries_queue')
      .on(table.queue, table.seq)
      .where(sql`${table.deadAt} is null`),
  ],
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
