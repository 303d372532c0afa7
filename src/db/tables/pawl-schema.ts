import { pgSchema, timestamp } from 'drizzle-orm/pg-core'
import { DEFAULT_SCHEMA } from '../schema-name.ts'

/** The name stands for DATABASE_SCHEMA: the pool replaces it. */
export const pawlSchema = pgSchema(DEFAULT_SCHEMA)

export const moment = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })
