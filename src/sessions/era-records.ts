import { sql } from 'drizzle-orm'
import type { Database } from '../db/database.ts'
import { storeState } from '../db/schema.ts'

/** Remembers in Postgres the highest era that ever began, because a Redis may come back older. */
export interface EraRecords {
  /** Raises the highest era to this one, and returns the highest one. */
  raise(era: number): Promise<number>
}

/** Creates access to the highest era. Rejects with `AUTH_UNAVAILABLE` if Postgres is. */
export function createEraRecords({ orm, query }: Database): EraRecords {
  return {
    async raise(era) {
      const raised = sql`greatest(${storeState.era}, ${era}::bigint)`
      const statement = orm
        .insert(storeState)
        .values({ era })
        .onConflictDoUpdate({ target: storeState.id, set: { era: raised } })
        .returning({ era: storeState.era })
      return (await query(statement))[0]?.era ?? era
    },
  }
}
