import { sql } from 'drizzle-orm'
import { bigint, boolean, index, integer, text, uuid } from 'drizzle-orm/pg-core'
import { moment, pawlSchema } from './pawl-schema.ts'
import { users } from './users.ts'

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
