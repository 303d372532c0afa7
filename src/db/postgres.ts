import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { type Database, run } from './database.ts'
import { isMigrated } from './migrate.ts'
import * as schema from './schema.ts'

/**
 * Connect to the Postgres at `url`. Rejects within about 5 seconds where it cannot be reached, and where its schema is
 * not up to date. Afterwards the pool reconnects by itself, at most a second after the server is back.
 */
export async function openPostgres(url: string): Promise<Database> {
  const client = postgres(url, {
    connect_timeout: 5,
    backoff: (retries: number) => Math.min(0.05 * 2 ** retries, 1),
    onnotice: () => {},
    connection: { application_name: 'pawl' },
  })
  const orm = drizzle(client, { schema })
  const database: Database = {
    orm,
    ping: async () => void (await run(orm.execute('select 1'))),
    close: () => client.end({ timeout: 5 }),
  }
  try {
    if (!(await isMigrated(database)))
      throw new Error("the schema is not up to date: run 'pawl migrate' first")
    return database
  } catch (error) {
    await client.end({ timeout: 0 })
    throw new Error(`Postgres at ${hostOf(url)}: ${messageOf(error)}`)
  }
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'DATABASE_URL'
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return 'cannot be reached'
  return error.cause instanceof Error ? `cannot be reached: ${error.cause.message}` : error.message
}
