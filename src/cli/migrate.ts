import type { Command } from 'commander'
import { loadDatabaseConfig } from '../config/config.ts'
import { isTlsFailure } from '../db/database.ts'
import { migrate } from '../db/migrate.ts'
import { openDatabase } from '../db/open.ts'
import { postgresTarget } from '../db/postgres-options.ts'
import { postgresHosts } from '../db/postgres-url.ts'
import type { Terminal } from './terminal.ts'

const HELP = `
Migrates the database of DATABASE_URL, or without it the embedded database in
PAWL_DATA_DIR. It needs no secret. It may run repeatedly, and several times at once.`

/** Adds `pawl migrate`. */
export function addMigrate(program: Command, { env, stdout }: Terminal): void {
  program
    .command('migrate')
    .description('bring the database schema up to date')
    .addHelpText('after', HELP)
    .action(async () => {
      const config = loadDatabaseConfig(env)
      if (config.databaseUrl) await migrateServer(config.databaseUrl, config.databaseSchema)
      // Opening the embedded database migrates it.
      else await (await openDatabase(config)).close()
      stdout.write('The schema is up to date.\n')
    })
}

async function migrateServer(url: string, schema: string): Promise<void> {
  try {
    await migrate(url, schema)
  } catch (error) {
    throw new Error(
      `Postgres at ${postgresHosts(postgresTarget(url))} could not be migrated: ${reasonOf(error)}`,
    )
  }
}

/** Returns the driver's message. If every address of a host refused, the error has only a code. */
function reasonOf(error: unknown): string {
  const driver = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const { message, code } = driver as { message?: string; code?: string }
  if (isTlsFailure(driver)) return `TLS failed: ${message}`
  return message || code || 'it cannot be reached'
}
