import { DrizzleQueryError } from 'drizzle-orm/errors'
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import { errorText } from '../common/error-text.ts'
import { PawlError, unavailable } from '../errors.ts'
import type * as schema from './schema.ts'

export interface Database {
  orm: PgDatabase<PgQueryResultHKT, typeof schema>
  query: Query
  /** Rejects with `AUTH_UNAVAILABLE` if Postgres is unavailable or read-only. */
  ping(): Promise<void>
  close(): Promise<void>
}

/**
 * Awaits a statement. Rejects with `AUTH_UNAVAILABLE` if Postgres is unavailable or does not reply
 * in time. Any other failure becomes an error without the parameters of the statement: Drizzle puts
 * those into its messages, and password hashes are among them.
 */
export type Query = <T>(statement: PromiseLike<T>) => Promise<T>

/** Milliseconds that a statement may take. */
export const STATEMENT_LIMIT = 5_000

/**
 * Driver codes and SQLSTATEs after which another attempt may succeed: no connection, a server that
 * shuts down, a deadlock, a timeout of a lock or a statement, a server that is read-only because
 * another one is the writer now, a database or a table that a restore has not created yet.
 */
const TEMPORARY = new RegExp(
  '^(CONNECTION_|CONNECT_TIMEOUT|ECONN|ENOTFOUND|EAI_AGAIN|ENOENT|EPIPE|ETIMEDOUT|EHOSTUNREACH|' +
    '08|3D000|40|53|57|25006|42P01|55P03)',
)

/** SQLSTATE of a row that would be the second one with a value that must be unique. */
export const UNIQUE_VIOLATION = '23505'

/** SQLSTATE of a write to a server, or in a session, that is read-only. */
export const READ_ONLY = '25006'

/** Codes of a certificate or a handshake that TLS refuses. */
const TLS_CODES =
  /^(ERR_TLS|ERR_SSL|ERR_OSSL|EPROTO|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|INVALID_CA|HOSTNAME)/

/** SQLSTATEs whose messages name the user, the database or a table, but contain no data. */
const ABOUT_THE_ACCESS = /^(28|3D|42501)/

/** Returns the result of a statement, as described at `Query`. */
export const query: Query = async (statement) => {
  try {
    return await withDeadline(statement, STATEMENT_LIMIT)
  } catch (error) {
    throw translate(error)
  }
}

/** Rejects with `AUTH_UNAVAILABLE` if the promise is not settled within this many milliseconds. */
export async function withDeadline<T>(
  promise: PromiseLike<T>,
  ms: number,
  onTimeout = () => {},
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(unavailable('Postgres', new Error('no reply in time')))
      onTimeout()
    }, ms)
  })
  try {
    return await Promise.race([promise, deadline])
  } finally {
    clearTimeout(timer)
  }
}

/** Returns the rows of a raw statement: postgres.js has an array, PGlite an object with one. */
export function rowsOf<T>(result: unknown): T[] {
  return Array.isArray(result) ? result : (result as { rows: T[] }).rows
}

function translate(error: unknown): Error {
  if (error instanceof PawlError) return error
  const driverError = driverErrorOf(error)
  if (driverError instanceof PawlError) return driverError
  const code = codeOf(error)
  if (isTlsFailure(driverError))
    return unavailable(
      'Postgres',
      new Error(`TLS failed: ${errorText(driverError)}`, { cause: driverError }),
    )
  const cause = new Error(
    ABOUT_THE_ACCESS.test(code)
      ? errorText(driverError)
      : `Postgres failed the statement (${code}): ${statementOf(error)}`,
  )
  return TEMPORARY.test(code) ? unavailable('Postgres', cause) : cause
}

/**
 * Returns whether the connection failed because of TLS. A server without TLS closes the connection
 * during the handshake, about which the error has nothing but a message.
 */
export function isTlsFailure(error: unknown): boolean {
  return TLS_CODES.test(codeOf(error)) || errorText(error).includes('secure TLS connection')
}

/** Returns the error of the driver, which Drizzle wraps. */
function driverErrorOf(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? error.cause : error
}

/** Returns the driver code or the SQLSTATE of an error. */
export function codeOf(error: unknown): string {
  return String((driverErrorOf(error) as { code?: unknown }).code ?? 'no code')
}

/** Returns the text of the statement, which has placeholders in place of its parameters. */
function statementOf(error: unknown): string {
  return error instanceof DrizzleQueryError ? error.query : 'unknown'
}
