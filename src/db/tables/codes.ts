import { primaryKey, text } from 'drizzle-orm/pg-core'
import type { CodePurpose } from '../../codes/code.ts'
import { moment, pawlSchema } from './pawl-schema.ts'
import { users } from './users.ts'

/** Codes that were sent by mail. A later code of a user replaces the former of its purpose. */
export const codes = pawlSchema.table(
  'codes',
  {
    userId: text('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    purpose: text('purpose').$type<CodePurpose>().notNull(),
    /** SHA-256 of the code, in hex. */
    hash: text('hash').notNull().unique(),
    /** The address that the code is sent to. */
    address: text('address').notNull(),
    /** A digest of the credentials for which the code was made. */
    state: text('state').notNull(),
    expiresAt: moment('expires_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.userId, table.purpose] })],
)
