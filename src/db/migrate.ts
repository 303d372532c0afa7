import { readFileSync } from 'node:fs'
import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate as apply } from 'drizzle-orm/postgres-js/migrator'
import postgres from 'postgres'
import { type Database, rowsOf } from './database.ts'
import { migrationsFolder } from './migrations-folder.ts'

/** Any number, as long as every Pawl asks for the same one. */
const MIGRATION_LOCK = 7_295_001

/** Bring the schema at `url` up to date. Safe to run from several processes at once: they queue. */
export async function migrate(url: string): Promise<void> {
  const client = postgres(url, {
    max: 1,
    onnotice: () => {},
    connect_timeout: 5,
    fetch_types: false,
  })
  try {
    await client`select pg_advisory_lock(${MIGRATION_LOCK})`
    await apply(drizzle(client), { migrationsFolder })
  } finally {
    // Ending the connection releases the lock too.
    await client.end({ timeout: 5 })
  }
}

/** Whether every migration that this version ships has been applied; a newer schema is fine. */
export async function isMigrated(database: Database): Promise<boolean> {
  const journal = JSON.parse(readFileSync(`${migrationsFolder}/meta/_journal.json`, 'utf8'))
  const newest = Math.max(...journal.entries.map((entry: { when: number }) => entry.when))
  const table = sql`select to_regclass('drizzle.__drizzle_migrations') is not null as present`
  const [exists] = rowsOf<{ present: boolean }>(await database.query(database.orm.execute(table)))
  if (!exists?.present) return false
  const last = sql`select max(created_at)::text as applied from drizzle.__drizzle_migrations`
  const [state] = rowsOf<{ applied: string | null }>(
    await database.query(database.orm.execute(last)),
  )
  return Number(state?.applied ?? 0) >= newest
}
