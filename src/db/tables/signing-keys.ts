import { sql } from 'drizzle-orm'
import { bigint, check, index, jsonb, text } from 'drizzle-orm/pg-core'
import { moment, pawlSchema } from './pawl-schema.ts'

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
