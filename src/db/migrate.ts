import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator'
import postgres from 'postgres'
import { migrationsFolder } from './migrations.ts'
import { MIGRATION_SETTINGS } from './session-settings.ts'

/** Key of an advisory lock. Every version of Pawl must use the same number. */
const MIGRATION_LOCK = 7_295_001

/** Updates the schema at `url`. If several processes do this at the same time, they take turns. */
export async function migrate(url: string): Promise<void> {
  const client = postgres(url, {
    max: 1,
    onnotice: () => {},
    connect_timeout: 5,
    fetch_types: false,
    connection: MIGRATION_SETTINGS,
  })
  try {
    await client`select pg_advisory_lock(${MIGRATION_LOCK})`
    await applyMigrations(drizzle(client), { migrationsFolder })
  } finally {
    // The end of the connection releases the lock.
    await client.end({ timeout: 5 })
  }
}
