import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator'
import postgres from 'postgres'
import { migrationsFolder } from './migrations.ts'
import { driverOptions, postgresTarget } from './postgres-options.ts'
import { MIGRATION_SETTINGS } from './session-settings.ts'
import { requireOfferedTls } from './tls-probe.ts'

/** Key of an advisory lock. Every version of Pawl must use the same number. */
const MIGRATION_LOCK = 7_295_001

/** Updates the schema at `url`. If several processes do this at the same time, they take turns. */
export async function migrate(url: string): Promise<void> {
  const target = postgresTarget(url)
  await requireOfferedTls(target)
  const client = postgres({
    ...driverOptions(target, MIGRATION_SETTINGS),
    max: 1,
    onnotice: () => {},
    fetch_types: false,
  })
  try {
    await client`select pg_advisory_lock(${MIGRATION_LOCK})`
    await applyMigrations(drizzle(client), { migrationsFolder })
  } finally {
    // The end of the connection releases the lock.
    await client.end({ timeout: 5 })
  }
}
