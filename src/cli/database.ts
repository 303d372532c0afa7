import { sql } from 'drizzle-orm'
import { type Database, rowsOf } from '../db/database.ts'
import { type DatabaseOptions, openDatabase } from '../db/open.ts'

/** Runs `work` on the database that the configuration names, and closes the database afterwards. */
export async function withDatabase<T>(
  options: DatabaseOptions,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const database = await openDatabase(options)
  try {
    return await work(database)
  } finally {
    await database.close()
  }
}

/** Returns the time of Postgres, in milliseconds since 1970. */
export async function postgresTime({ orm, query }: Database): Promise<number> {
  const statement = orm.execute(sql`select (extract(epoch from now()) * 1000)::float8 as ms`)
  const [row] = rowsOf<{ ms: number }>(await query(statement))
  return Math.floor(Number(row?.ms ?? 0))
}
