import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createSchemaRename, DEFAULT_SCHEMA } from './schema-name.ts'

/** The SQL migrations. The relative path is the same in the sources and in the build. */
const FOLDER = fileURLToPath(new URL('../../drizzle', import.meta.url))

/** A line between two statements of a migration file. */
const BREAKPOINT = '--> statement-breakpoint'

/** A journal of its own, so that it does not matter which migrations an application has. */
export const JOURNAL = `"${DEFAULT_SCHEMA}".migrations`

export interface Migration {
  name: string
  /** SHA-256 of the file, in hex. */
  hash: string
  statements: string[]
}

/** A row of the journal. */
export interface AppliedMigration {
  name: string
  hash: string
}

/** Runs one statement without parameters and returns its rows. */
export type RunStatement = (text: string) => Promise<unknown[]>

/** Returns the migrations of this version in their order. */
export function readMigrations(): Migration[] {
  const journal = JSON.parse(readFileSync(`${FOLDER}/meta/_journal.json`, 'utf8'))
  return journal.entries.map(({ tag }: { tag: string }) => {
    const text = readFileSync(`${FOLDER}/${tag}.sql`, 'utf8')
    const statements = text.split(BREAKPOINT).map((statement) => statement.trim())
    return {
      name: tag,
      hash: createHash('sha256').update(text).digest('hex'),
      // The schema is there already: the journal is in it.
      statements: statements.filter((statement) => !/^create schema /i.test(statement)),
    }
  })
}

/**
 * Returns the migrations that are yet to be applied. A newer version may have applied more than
 * this one knows. Throws if one was applied that is not the one of this version.
 */
export function pendingMigrations(applied: readonly AppliedMigration[]): Migration[] {
  const known = readMigrations()
  for (const [index, { name, hash }] of applied.slice(0, known.length).entries())
    if (known[index]?.name !== name || known[index]?.hash !== hash)
      throw new Error(
        `the migration ${name} in the database is not the ${known[index]?.name} of this version`,
      )
  return known.slice(applied.length)
}

/** Applies what is pending. The caller has begun a transaction, and commits it afterwards. */
export async function applyMigrations(run: RunStatement, schema = DEFAULT_SCHEMA): Promise<void> {
  const rename = createSchemaRename(schema)
  // A role that may create nothing but tables needs the schema to be there.
  const found = await run(`select 1 from pg_namespace where nspname = '${schema}'`)
  if (found.length === 0) await run(`create schema "${schema}"`)
  const journal = await run(
    `select 1 from pg_tables where schemaname = '${schema}' and tablename = 'migrations'`,
  )
  // Even with `if not exists`, the statement would need the right to create tables.
  if (journal.length === 0)
    await run(
      rename(`create table ${JOURNAL} (
        position integer primary key,
        name text not null,
        hash text not null,
        applied_at timestamptz not null default now())`),
    )
  const applied = await run(rename(`select name, hash from ${JOURNAL} order by position`))
  let position = applied.length
  for (const { name, hash, statements } of pendingMigrations(applied as AppliedMigration[])) {
    for (const statement of statements) await run(rename(statement))
    await run(
      rename(`insert into ${JOURNAL} (position, name, hash) values (
        ${position}, '${name}', '${hash}')`),
    )
    position += 1
  }
}
