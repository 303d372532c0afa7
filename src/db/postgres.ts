import { setTimeout as delay } from 'node:timers/promises'
import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { PawlError } from '../errors.ts'
import { hostOf } from '../host-of.ts'
import { type Database, run } from './database.ts'
import { isMigrated } from './migrate.ts'
import * as schema from './schema.ts'

/** Milliseconds to wait at start for a server that is not there yet, and between two looks. */
const START_LIMIT = 5_000
const RETRY_INTERVAL = 250

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
    if (!(await whenReachable(() => isMigrated(database))))
      throw new Error("the schema is not up to date: run 'pawl migrate' first")
    return database
  } catch (error) {
    await client.end({ timeout: 0 })
    throw new Error(`Postgres at ${hostOf(url)}: ${messageOf(error)}`)
  }
}

/** Ask again for as long as it may take a server to start. */
async function whenReachable<T>(ask: () => Promise<T>): Promise<T> {
  for (let waited = 0; ; waited += RETRY_INTERVAL) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof PawlError) || waited >= START_LIMIT) throw error
      await delay(RETRY_INTERVAL)
    }
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return 'cannot be reached'
  return error.cause instanceof Error ? `cannot be reached: ${error.cause.message}` : error.message
}
