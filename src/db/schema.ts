import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgSchema,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { DEFAULT_SCHEMA } from './schema-name.ts'

/** The name stands for DATABASE_SCHEMA: the pool replaces it. */
export const pawlSchema = pgSchema(DEFAULT_SCHEMA)

const moment = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })

export const users = pawlSchema.table(
  'users',
  {
    /** What the application calls the user. A version 7 UUID if Pawl makes the account. */
    id: text('id').primaryKey(),
    /** Null if the application keeps the address, or knows none. */
    email: text('email'),
    /** Null if the user logs in elsewhere. */
    passwordHash: text('password_hash'),
    roles: text('roles').array().notNull().default(sql`'{}'`),
    status: text('status', { enum: ['active', 'disabled'] })
      .notNull()
      .default('active'),
    /** Authorization version. Access tokens with a lower one are revoked. */
    ver: bigint('ver', { mode: 'number' }).notNull().default(1),
    /** Whether `pawl seed` created the user. */
    seeded: boolean('seeded').notNull().default(false),
    createdAt: moment('created_at').notNull().defaultNow(),
    updatedAt: moment('updated_at').notNull().defaultNow(),
  },
  (table) => [
    uniqueIndex('users_email_unique').on(sql`lower(${table.email})`),
    // For search by a prefix and for pages, which the database's own collation may not support.
    index('users_email_prefix').on(
      sql`coalesce(lower(${table.email}), '') collate "C"`,
      sql`${table.id} collate "C"`,
    ),
    check('users_id_plain', sql`${table.id} ~ '^[A-Za-z0-9._:@|-]{1,128}$'`),
    check('users_status_known', sql`${table.status} in ('active', 'disabled')`),
    // As the schemas accept it. The hot state separates roles by spaces.
    check(
      'users_roles_plain',
      sql`array_to_string(${table.roles}, ',') ~ '^([a-z][a-z0-9:_,-]*)?$'`,
    ),
  ],
)

export const sessions = pawlSchema.table(
  'sessions',
  {
    id: uuid('id').primaryKey(),
    userId: text('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    createdAt: moment('created_at').notNull(),
    /** The absolute expiry. A refresh does not change it. */
    expiresAt: moment('expires_at').notNull(),
    lastSeenAt: moment('last_seen_at').notNull(),
    /** The last checkpoint. The hot state may be ahead of it, but never behind. */
    generation: integer('generation').notNull().default(1),
    revokedAt: moment('revoked_at'),
    revokedReason: text('revoked_reason'),
    /** When the revocation was published to all nodes. The sweep publishes those without it. */
    publishedAt: moment('published_at'),
    /** The device of the login. */
    userAgent: text('user_agent'),
    ip: text('ip'),
    /** The device of the last refresh, as of the last checkpoint. */
    lastUserAgent: text('last_user_agent'),
    lastIp: text('last_ip'),
  },
  (table) => [
    index('sessions_user_id').on(table.userId),
    index('sessions_revoked_at')
      .on(table.revokedAt, table.id)
      .where(sql`${table.revokedAt} is not null`),
    index('sessions_unpublished')
      .on(table.revokedAt)
      .where(sql`${table.revokedAt} is not null and ${table.publishedAt} is null`),
  ],
)

/**
 * The last revocation of each user: it revokes all access tokens below `ver`, except those of one
 * session. There is no foreign key, because it stays in force after the account is deleted.
 */
export const userRevocations = pawlSchema.table(
  'user_revocations',
  {
    userId: text('user_id').primaryKey(),
    ver: bigint('ver', { mode: 'number' }).notNull(),
    /** Whether the sessions were revoked too, except for that one. */
    sessionsEnded: boolean('sessions_ended').notNull(),
    exceptSession: uuid('except_session'),
    at: moment('at').notNull(),
    publishedAt: moment('published_at'),
  },
  (table) => [
    index('user_revocations_at').on(table.at, table.userId),
    index('user_revocations_unpublished').on(table.at).where(sql`${table.publishedAt} is null`),
  ],
)

/** Global revocations. Each revokes every session that was started before `startedAt`. */
export const epochs = pawlSchema.table('epochs', {
  startedAt: moment('started_at').primaryKey(),
  at: moment('at').notNull(),
  publishedAt: moment('published_at'),
})

/** One row, by which the stores notice that the other one went back. Both numbers only rise. */
export const storeState = pawlSchema.table(
  'store_state',
  {
    id: integer('id').primaryKey().default(1),
    /** Raised every few seconds. Redis mirrors the highest value. */
    counter: bigint('counter', { mode: 'number' }).notNull().default(0),
    /** The highest era of the hot state that was ever given out. */
    era: bigint('era', { mode: 'number' }).notNull().default(0),
  },
  (table) => [check('store_state_one_row', sql`${table.id} = 1`)],
)

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

/** Signing keys. The state of a key follows from its times, by the clock of Postgres. */
export const signingKeys = pawlSchema.table(
  'signing_keys',
  {
    kid: text('kid').primaryKey(),
    purpose: text('purpose', { enum: ['access', 'refresh'] }).notNull(),
    algorithm: text('algorithm', { enum: ['EdDSA', 'ES256', 'RS256', 'HS256'] }).notNull(),
    /** The public half of an access key. */
    jwk: jsonb('jwk').$type<Record<string, string>>(),
    /**
     * The private half, encrypted. It is erased when the key has expired. The row stays, so that
     * its id is never used again.
     */
    sealed: text('sealed'),
    /** Milliseconds for which a token that the key signed may matter. */
    tokenLife: bigint('token_life', { mode: 'number' }).notNull(),
    createdAt: moment('created_at').notNull(),
    /** When every verifier has fetched the public half, so that the key may sign. */
    readyAt: moment('ready_at').notNull(),
    signsFrom: moment('signs_from'),
    retiredAt: moment('retired_at'),
    expiresAt: moment('expires_at'),
    /** When the key was retired at once. Its tokens are refused. */
    revokedAt: moment('revoked_at'),
  },
  (table) => [
    index('signing_keys_alive').on(table.purpose).where(sql`${table.sealed} is not null`),
    index('signing_keys_revoked_at').on(table.revokedAt).where(sql`${table.revokedAt} is not null`),
    check('signing_keys_purpose_known', sql`${table.purpose} in ('access', 'refresh')`),
  ],
)
