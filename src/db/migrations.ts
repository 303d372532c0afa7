import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { sql } from 'drizzle-orm'
import { type Database, rowsOf } from './database.ts'

/** The SQL migrations. The relative path is the same in the sources and in the build. */
export const migrationsFolder = fileURLToPath(new URL('../../drizzle', import.meta.url))

/** Returns whether every migration of this version is applied. A newer schema is fine. */
export async function isMigrated({ orm, query }: Database): Promise<boolean> {
  const journal = JSON.parse(readFileSync(`${migrationsFolder}/meta/_journal.json`, 'utf8'))
  const newest = Math.max(...journal.entries.map((entry: { when: number }) => entry.when))
  const table = sql`select to_regclass('drizzle.__drizzle_migrations') is not null as exists`
  const [journalTable] = rowsOf<{ exists: boolean }>(await query(orm.execute(table)))
  if (!journalTable?.exists) return false
  const last = sql`select max(created_at)::text as applied from drizzle.__drizzle_migrations`
  const [state] = rowsOf<{ applied: string | null }>(await query(orm.execute(last)))
  return Number(state?.applied ?? 0) >= newest
}
