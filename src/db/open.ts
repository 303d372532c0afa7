import type { HostSql } from '../embedding/host-clients.ts'
import type { Database } from './database.ts'
import { DEFAULT_SCHEMA } from './schema-name.ts'

export interface DatabaseOptions {
  /** A client of the application, to whose Postgres the pool connects. */
  sql?: HostSql | undefined
  /** If undefined, Postgres runs in this process (PGlite) and keeps its data in `dataDir`. */
  databaseUrl: string | undefined
  /** Highest number of connections to the Postgres of `databaseUrl`. */
  databasePoolSize: number
  /** The schema of the tables. The embedded database has only the default one. */
  databaseSchema: string
  dataDir: string
}

/** Opens the configured database. Rejects if it cannot be used. The caller must close it. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { sql, databaseUrl, databasePoolSize, databaseSchema, dataDir } = options
  // Only the driver in use is loaded, because PGlite is megabytes of WebAssembly.
  const to = sql ?? databaseUrl
  if (to) {
    const { openPostgres } = await import('./postgres.ts')
    return openPostgres(to, databasePoolSize, databaseSchema)
  }
  if (databaseSchema !== DEFAULT_SCHEMA)
    throw new Error(
      'DATABASE_SCHEMA is set without a DATABASE_URL: the embedded database is not shared, and ' +
        `its schema is always ${DEFAULT_SCHEMA}. Unset DATABASE_SCHEMA, or set DATABASE_URL`,
    )
  const { openEmbedded } = await import('./embedded.ts')
  return openEmbedded(dataDir)
}
