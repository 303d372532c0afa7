import { drizzle } from 'drizzle-orm/postgres-js'
import { retry } from '../common/backoff.ts'
import { errorText } from '../common/error-text.ts'
import { PawlError, unavailable } from '../errors.ts'
import { type Database, isTlsFailure, query, rowsOf, withDeadline } from './database.ts'
import { type DriverOptions, driverOptions, postgresTarget } from './postgres-options.ts'
import { createPool } from './postgres-pool.ts'
import { type PostgresTarget, postgresHosts } from './postgres-url.ts'
import * as schema from './schema.ts'
import { schemaProblem } from './schema-check.ts'
import { createSchemaRename, DEFAULT_SCHEMA } from './schema-name.ts'
import { SERVING_SETTINGS } from './session-settings.ts'
import { requireOfferedTls } from './tls-probe.ts'

/** Milliseconds to wait at the start for a server that is unavailable. */
const START_LIMIT = 5_000
/** Milliseconds between two attempts. */
const RETRY_INTERVAL = 250
/** The setting is also on in a standby, and in a primary that was demoted. */
const READ_ONLY = `select current_setting('transaction_read_only') as "readOnly"`

/**
 * Connects to the Postgres at `url` with at most `poolSize` connections. Rejects if it is
 * unavailable for about 5 seconds, or if its schema is not up to date. Later the pool reconnects by
 * itself, at most one second after the server is available again.
 */
export async function openPostgres(
  url: string,
  poolSize = 10,
  schemaName = DEFAULT_SCHEMA,
): Promise<Database> {
  const target = postgresTarget(url)
  const pool = createPool(optionsOf(target), poolSize, createSchemaRename(schemaName))
  const orm = drizzle(pool.client, { schema })
  const database: Database = {
    orm,
    query,
    async ping() {
      const [state] = rowsOf<{ readOnly: string }>(await query(orm.execute(READ_ONLY)))
      if (state?.readOnly !== 'on') return
      pool.discardIdle()
      throw unavailable('Postgres', new Error('the server is read-only'))
    },
    close: () => pool.close(5),
  }
  try {
    await requireOfferedTls(target)
    const problem = await whenAvailable(() => schemaProblem(database))
    if (problem) throw new Error(problem)
    return database
  } catch (error) {
    await pool.close(0)
    throw failure(target, error)
  }
}

function optionsOf(target: PostgresTarget): DriverOptions {
  try {
    return driverOptions(target, SERVING_SETTINGS)
  } catch (error) {
    throw failure(target, error)
  }
}

function failure(target: PostgresTarget, error: unknown): Error {
  return new Error(`Postgres at ${postgresHosts(target)}: ${reasonOf(error)}`)
}

/** Repeats the statements for as long as a server may need to start. */
function whenAvailable<T>(statements: () => Promise<T>): Promise<T> {
  return retry((remaining) => withDeadline(statements(), remaining), {
    first: RETRY_INTERVAL,
    longest: RETRY_INTERVAL,
    limit: START_LIMIT,
    isTemporary: (error) => error instanceof PawlError && !isTlsFailure(error.cause),
  })
}

function reasonOf(error: unknown): string {
  if (!(error instanceof PawlError)) return errorText(error)
  return error.cause ? `cannot be reached: ${errorText(error.cause)}` : 'cannot be reached'
}
