import type { Database } from './database.ts'
import { openPostgres } from './postgres.ts'

export interface DatabaseOptions {
  /** Without it, Postgres runs in this process (PGlite), its data in `dataDir`. */
  databaseUrl: string | undefined
  dataDir: string
}

/** The database that the configuration names. Rejects where it cannot be used; the caller closes it. */
export async function openDatabase({ databaseUrl, dataDir }: DatabaseOptions): Promise<Database> {
  if (databaseUrl) return openPostgres(databaseUrl)
  // PGlite is megabytes of WebAssembly: loaded only where it is used.
  const { openEmbedded } = await import('./embedded.ts')
  return openEmbedded(dataDir)
}
