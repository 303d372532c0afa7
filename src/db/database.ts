import { DrizzleQueryError } from 'drizzle-orm/errors'
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import { PawlError, unavailable } from '../errors.ts'
import type * as schema from './schema.ts'

export interface Database {
  orm: PgDatabase<PgQueryResultHKT, typeof schema>
  query: Query
  /** Rejects with `AUTH_UNAVAILABLE` where the server cannot be reached. */
  ping(): Promise<void>
  close(): Promise<void>
}

/** Milliseconds that a statement may take before its caller is told 503. */
const STATEMENT_LIMIT = 5_000

/**
 * Driver codes and SQLSTATEs that say "the server is not there", or "try again", as to one of two who waited for each other,
 * rather than "the statement is wrong".
 */
const UNREACHABLE =
  /^(CONNECTION_|CONNECT_TIMEOUT|ECONN|ENOTFOUND|EAI_AGAIN|ENOENT|EPIPE|ETIMEDOUT|EHOSTUNREACH|08|40|53|57)/

/** SQLSTATEs whose messages name the user or the database, and never what is in it. */
const ABOUT_THE_CONNECTION = /^(28|3D)/

/**
 * Await a statement. A server that is gone, or does not answer in time, becomes `AUTH_UNAVAILABLE`; any other failure
 * an error without the statement's parameters, since Drizzle writes those (hashes among them) into its messages.
 */
export type Query = <T>(statement: PromiseLike<T>) => Promise<T>

/** `begin` is called with each statement, and what it answers where that was not answered in time. */
export function createQuery(begin: () => () => void = () => () => {}): Query {
  return async (statement) => {
    const onSilence = begin()
    try {
      return await withDeadline(statement, STATEMENT_LIMIT, onSilence)
    } catch (error) {
      throw translate(error)
    }
  }
}

/** Rejects with `AUTH_UNAVAILABLE` where there is no answer within so many milliseconds. */
export async function withDeadline<T>(
  answer: PromiseLike<T>,
  ms: number,
  onSilence = () => {},
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(unavailable('Postgres', new Error('no answer in time')))
      onSilence()
    }, ms)
  })
  try {
    return await Promise.race([answer, limit])
  } finally {
    clearTimeout(timer)
  }
}

/** Of a statement that was given as text: postgres.js answers with an array, PGlite with an object that holds one. */
export function rowsOf<T>(answer: unknown): T[] {
  return Array.isArray(answer) ? answer : (answer as { rows: T[] }).rows
}

function translate(error: unknown): Error {
  if (error instanceof PawlError) return error
  const driver = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const code = String((driver as { code?: unknown }).code ?? 'no code')
  const cause = new Error(
    ABOUT_THE_CONNECTION.test(code)
      ? messageOf(driver)
      : `Postgres failed the statement (${code}): ${statementOf(error)}`,
  )
  return UNREACHABLE.test(code) ? unavailable('Postgres', cause) : cause
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'refused'
}

/** Its text has placeholders where the values were. */
function statementOf(error: unknown): string {
  return error instanceof DrizzleQueryError ? error.query : 'unknown'
}
