import { sql } from 'drizzle-orm'
import { bigint, check, integer } from 'drizzle-orm/pg-core'
import { pawlSchema } from './pawl-schema.ts'

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
