import { drizzle } from 'drizzle-orm/postgres-js'
import { retry } from '../common/backoff.ts'
import { errorText } from '../common/error-text.ts'
import type { HostSql } from '../embedding/host-clients.ts'
import { PawlError, unavailable } from '../errors.ts'
import { type Database, isTlsFailure, query, rowsOf, withDeadline } from './database.ts'
import {
  type DriverOptions,
  driverOptions,
  optionsOfClient,
  postgresTarget,
} from './postgres-options.ts'
import { createPool } from './postgres-pool.ts'
import { postgresHosts } from './postgres-url.ts'
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
 * Connects to the Postgres of a URL, or to that of a client of the application, with at most
 * `poolSize` connections. Rejects if it is unavailable for about 5 seconds, or if its schema is not
 * up to date. Later the pool reconnects by itself, at most one second after the server is available
 * again.
 */
export async function openPostgres(
  to: string | HostSql,
  poolSize = 10,
  schemaName = DEFAULT_SCHEMA,
): Promise<Database> {
  const server = typeof to === 'string' ? serverOfUrl(to) : serverOfClient(to)
  const pool = createPool(server.options, poolSize, createSchemaRename(schemaName))
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
    await server.check()
    const problem = await whenAvailable(() => schemaProblem(database))
    if (problem) throw new Error(problem)
    return database
  } catch (error) {
    await pool.close(0)
    throw failure(server.hosts, error)
  }
}

interface PostgresServer {
  /** For messages. */
  hosts: string
  options: DriverOptions
  /** Rejects if the driver would fail without saying why. */
  check(): Promise<void>
}

function serverOfUrl(url: string): PostgresServer {
  const target = postgresTarget(url)
  const hosts = postgresHosts(target)
  try {
    const options = driverOptions(target, SERVING_SETTINGS)
    return { hosts, options, check: () => requireOfferedTls(target) }
  } catch (error) {
    throw failure(hosts, error)
  }
}

function serverOfClient({ options }: HostSql): PostgresServer {
  return {
    hosts: options.host.map((host, index) => `${host}:${options.port[index]}`).join(', '),
    options: optionsOfClient(options, SERVING_SETTINGS),
    check: async () => {},
  }
}

function failure(hosts: string, error: unknown): Error {
  return new Error(`Postgres at ${hosts}: ${reasonOf(error)}`)
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
