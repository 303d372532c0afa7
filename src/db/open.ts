import type { Database } from './database.ts'

export interface DatabaseOptions {
  /** Without it, Postgres runs in this process (PGlite), its data in `dataDir`. */
  databaseUrl: string | undefined
  dataDir: string
}

/** The database that the configuration names. Rejects where it cannot be used; the caller closes it. */
export async function openDatabase({ databaseUrl, dataDir }: DatabaseOptions): Promise<Database> {
  // Each is loaded only where it is used: PGlite is megabytes of WebAssembly.
  if (databaseUrl) {
    const { openPostgres } = await import('./postgres.ts')
    return openPostgres(databaseUrl)
  }
  const { openEmbedded } = await import('./embedded.ts')
  return openEmbedded(dataDir)
}
