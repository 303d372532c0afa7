/** Milliseconds that Postgres waits for a lock before it cancels the statement. */
const LOCK_TIMEOUT = 2_000

/** Milliseconds after which Postgres cancels a statement. Its caller waits a second longer. */
const STATEMENT_TIMEOUT = 4_000

/** Milliseconds after which Postgres ends a connection whose transaction waits for this process. */
const IDLE_IN_TRANSACTION_TIMEOUT = 10_000

/**
 * Everything that the statements and the parsers of their results depend on. A database or a role
 * may have other defaults (`alter database … set`).
 */
const PINNED = {
  application_name: 'pawl',
  // Every statement names the schema of its tables.
  search_path: 'pg_catalog',
  DateStyle: 'ISO',
  TimeZone: 'UTC',
  IntervalStyle: 'postgres',
  extra_float_digits: '1',
  standard_conforming_strings: 'on',
  // Statements lock the rows that they depend on. They would fail at a higher level.
  default_transaction_isolation: 'read committed',
} as const

/**
 * Settings of the connections that serve requests. Postgres cancels a statement before its caller
 * gives up, so that no backend continues work that nobody waits for.
 */
export const SERVING_SETTINGS = {
  ...PINNED,
  lock_timeout: LOCK_TIMEOUT,
  statement_timeout: STATEMENT_TIMEOUT,
  idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT,
}
