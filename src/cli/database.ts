import type { Database } from '../db/database.ts'
import { type DatabaseOptions, openDatabase } from '../db/open.ts'

/** Do `work` on the database that the configuration names, and close it whatever comes of it. */
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
