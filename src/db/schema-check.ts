import { is, sql } from 'drizzle-orm'
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core'
import { type Database, rowsOf } from './database.ts'
import { type AppliedMigration, JOURNAL, pendingMigrations } from './migrations.ts'
import * as schema from './schema.ts'

/**
 * Returns what keeps this version from using the database, or undefined. A newer schema is fine,
 * because versions serve side by side during an upgrade.
 */
export async function schemaProblem({ orm, query }: Database): Promise<string | undefined> {
  const isThere = sql`select to_regclass(${sql.raw(`'${JOURNAL}'`)}) is not null as "isThere"`
  const [journal] = rowsOf<{ isThere: boolean }>(await query(orm.execute(isThere)))
  if (!journal?.isThere) return "the schema is not up to date: run 'pawl migrate' first"
  const rows = sql.raw(`select name, hash from ${JOURNAL} order by position`)
  const applied = rowsOf<AppliedMigration>(await query(orm.execute(rows)))
  if (pendingMigrations(applied).length > 0)
    return "the schema is not up to date: run 'pawl migrate' first"
  const missing = await missingColumns({ orm, query })
  if (missing.length > 0) return `the schema lacks ${missing.join(', ')}, which it once had`
  return undefined
}

/** Returns the columns that somebody has removed since the migrations made them. */
async function missingColumns({ orm, query }: Pick<Database, 'orm' | 'query'>): Promise<string[]> {
  const tables = Object.values(schema).flatMap((value) =>
    is(value, PgTable) ? [getTableConfig(value)] : [],
  )
  const names = tables.map(({ name }) => `('${name}')`).join(', ')
  const statement = sql.raw(`
    select t.name, array(
      select attname::text from pg_attribute
      where attrelid = to_regclass('"pawl".' || t.name) and attnum > 0 and not attisdropped
    ) as columns
    from (values ${names}) as t(name)`)
  const rows = rowsOf<{ name: string; columns: string[] | string }>(
    await query(orm.execute(statement)),
  )
  const found = new Map(rows.map(({ name, columns }) => [name, namesIn(columns)]))
  return tables.flatMap(({ name, columns }) =>
    columns
      .filter((column) => !found.get(name)?.has(column.name))
      .map((column) => `${name}.${column.name}`),
  )
}

/** The driver of a server does not parse arrays. Names of columns need no quotes in one. */
function namesIn(columns: string[] | string): Set<string> {
  return new Set(typeof columns === 'string' ? columns.slice(1, -1).split(',') : columns)
}
