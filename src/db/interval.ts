import { type SQL, sql } from 'drizzle-orm'

/** Returns the SQL expression for the current time of Postgres minus this many milliseconds. */
export function ago(ms: number): SQL {
  return sql`now() - ${`${ms} milliseconds`}::interval`
}

/** Returns the SQL expression for the current time of Postgres plus this many milliseconds. */
export function fromNow(ms: number): SQL {
  return sql`now() + ${`${ms} milliseconds`}::interval`
}
