import fp from 'fastify-plugin'
import type { Database } from '../src/db/database.ts'
import { openPostgres } from '../src/db/postgres.ts'

declare module 'fastify' {
  interface FastifyInstance {
    database: Database
  }
}

export interface DatabaseOptions {
  /** Without it, Postgres runs in this process (PGlite), its data in `dataDir`. */
  databaseUrl: string | undefined
  dataDir: string
}

/** Decorates the instance with `database`, and closes it with the instance. */
export const database = fp(
  async (app, { databaseUrl, dataDir }: DatabaseOptions) => {
    const opened = databaseUrl ? await openPostgres(databaseUrl) : await openEmbeddedIn(dataDir)
    app.decorate('database', opened)
    app.addHook('onClose', () => opened.close())
  },
  { name: 'pawl-database' },
)

/** PGlite is megabytes of WebAssembly: loaded only where it is used. */
async function openEmbeddedIn(directory: string): Promise<Database> {
  const { openEmbedded } = await import('../src/db/embedded.ts')
  return openEmbedded(directory)
}
