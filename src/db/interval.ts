import { type SQL, sql } from 'drizzle-orm'

/** Returns the time of Postgres minus so many milliseconds, as an SQL expression. */
export function ago(ms: number): SQL {
  return sql`now() - ${`${ms} milliseconds`}::interval`
}

/** Returns the time of Postgres plus so many milliseconds, as an SQL expression. */
export function fromNow(ms: number): SQL {
  return sql`now() + ${`${ms} milliseconds`}::interval`
}
