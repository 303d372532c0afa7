import type { HostSql } from '../embedding/host-clients.ts'
import type { Database } from './database.ts'

export interface DatabaseOptions {
  /** A client of the application, to whose Postgres the pool connects. */
  sql?: HostSql | undefined
  /** If undefined, Postgres runs in this process (PGlite) and keeps its data in `dataDir`. */
  databaseUrl: string | undefined
  /** Highest number of connections to the Postgres of `databaseUrl`. */
  databasePoolSize: number
  /** The schema of the tables in the Postgres of `databaseUrl`. */
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
  const { openEmbedded } = await import('./embedded.ts')
  return openEmbedded(dataDir)
}
