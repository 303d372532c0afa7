import postgres from 'postgres'
import { codeOf } from './database.ts'
import { applyMigrations } from './migrations.ts'
import { driverOptions, postgresTarget } from './postgres-options.ts'
import { DEFAULT_SCHEMA } from './schema-name.ts'
import { requireOfferedTls } from './tls-probe.ts'

/** First key of an advisory lock. Every version of Pawl must use the same number. */
const MIGRATION_LOCK = 7_295_001
/** Milliseconds to wait for another migration. */
const LOCK_LIMIT = 60_000
/** SQLSTATE of a lock that was not granted in time. */
const LOCK_NOT_AVAILABLE = '55P03'

/**
 * Updates the schema at `url`. If several processes do this at the same time, they take turns.
 * Rejects if another one takes longer than a minute.
 *
 * Everything happens in one transaction, which holds the lock and the settings too: through
 * PgBouncer in transaction mode, anything that belongs to a connection would stay behind on one
 * that others use.
 */
export async function migrate(
  url: string,
  schema = DEFAULT_SCHEMA,
  lockLimit = LOCK_LIMIT,
): Promise<void> {
  const target = postgresTarget(url)
  await requireOfferedTls(target)
  const client = postgres({
    ...driverOptions(target),
    max: 1,
    onnotice: () => {},
    fetch_types: false,
    prepare: false,
  })
  try {
    await client.begin(async (tx) => {
      // The first one, because a limit of the database applies until then.
      await tx.unsafe('set local statement_timeout = 0')
      await tx.unsafe(`set local lock_timeout = ${lockLimit}`)
      await tx.unsafe('set local idle_in_transaction_session_timeout = 0')
      await lock(tx, schema)
      await applyMigrations((text) => tx.unsafe(text), schema)
    })
  } finally {
    await client.end({ timeout: 5 })
  }
}

async function lock(tx: postgres.TransactionSql, schema: string): Promise<void> {
  try {
    await tx.unsafe(`select pg_advisory_xact_lock(${MIGRATION_LOCK}, hashtext('${schema}'))`)
  } catch (error) {
    if (codeOf(error) !== LOCK_NOT_AVAILABLE) throw error
    throw new Error('another migration is running: wait until it has ended, and try again')
  }
}
