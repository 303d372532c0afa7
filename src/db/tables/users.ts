import { sql } from 'drizzle-orm'
import { bigint, boolean, check, index, integer, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { moment, pawlSchema } from './pawl-schema.ts'

export const users = pawlSchema.table(
  'users',
  {
    /** What the application calls the user. A version 7 UUID if Pawl makes the account. */
    id: text('id').primaryKey(),
    /** Null if the application keeps the address, or knows none. */
    email: text('email'),
    /** Whether somebody has proved that they read the mail of this address. */
    emailVerified: boolean('email_verified').notNull().default(false),
    /** Whether nobody can log in until the address is verified, since a sign-up by mail made it. */
    awaitsVerification: boolean('awaits_verification').notNull().default(false),
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
    index('users_awaiting').on(table.updatedAt).where(sql`${table.awaitsVerification}`),
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

/** The work of the stored password hashes. A login that fails does all of it. */
export const passwordWork = pawlSchema.table('password_work', {
  /** As `StoredHash` has it. */
  family: text('family').primaryKey(),
  /** The highest one of the family. */
  cost: integer('cost').notNull(),
})
