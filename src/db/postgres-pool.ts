import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { retry } from '../common/backoff.ts'
import { createAdmission } from './admission.ts'
import { codeOf, READ_ONLY, STATEMENT_LIMIT, withDeadline } from './database.ts'
import type { DriverOptions } from './postgres-options.ts'
import { beginSafely } from './safe-transaction.ts'
import * as schema from './schema.ts'

/** Milliseconds that a statement waits for a connection. */
const QUEUE_LIMIT = 3_000
/** Milliseconds after a refused connection before the pool tries to open more of them. */
const GROW_AFTER = 10_000
/** SQLSTATE of a refused connection: the server, the database or the role has too many. */
const TOO_MANY_CONNECTIONS = '53300'

/** A place for one connection. The client is created when the place is used first. */
interface Slot {
  client?: postgres.Sql | undefined
}

/** Returns a client with one connection. It connects on the first statement. */
function createClient(options: DriverOptions): postgres.Sql {
  const client = postgres({
    ...options,
    max: 1,
    backoff: (retries: number) => Math.min(0.05 * 2 ** retries, 1),
    onnotice: () => {},
    // Drizzle parses arrays itself. If this option is on and the server dies while a connection
    // starts, an unhandled rejection ends the process: porsager/postgres issue 1192. The option
    // stays off after that issue is fixed, because it also costs a statement per connection.
    fetch_types: false,
  })
  // Drizzle sets the parsers of the driver.
  drizzle(client, { schema })
  return client
}

/**
 * Creates a pool of at most `size` connections with these options, and a client for Drizzle.
 * `rename` completes the text of each statement.
 *
 * Each connection has a driver of its own. The pool of the driver sends statements ahead on busy
 * connections, so that all wait for one lock, and it cannot close a single connection. If a network
 * drops packets, there is no error, and the driver waits on such a connection for as long as TCP
 * does: a quarter of an hour. This can be removed when the driver closes the connection of a
 * statement that takes too long: porsager/postgres issue 1089.
 */
export function createPool(
  options: DriverOptions,
  size: number,
  rename: (text: string) => string = (text) => text,
) {
  const slots: Slot[] = Array.from({ length: size }, () => ({}))
  /** The last one was used last. It is used next, so that the pool opens few connections. */
  const free = [...slots]
  const admission = createAdmission({
    size,
    queueLimit: QUEUE_LIMIT,
    growAfter: GROW_AFTER,
    now: () => performance.now(),
  })

  function discard(slot: Slot) {
    slot.client?.end({ timeout: 0 }).catch(() => {})
    slot.client = undefined
  }

  /** Closes the connections that no statement uses. The next statements open new ones. */
  function discardIdle() {
    for (const slot of free) discard(slot)
  }

  async function runOnce<T>(kind: string, work: (client: postgres.Sql) => PromiseLike<T>) {
    await admission.enter(kind)
    const slot = free.pop() ?? {}
    slot.client ??= createClient(options)
    let isRefused = false
    try {
      // Postgres cancels statements earlier. One that is not even cancelled has lost its
      // connection, and probably the idle connections are lost too.
      return await withDeadline(work(slot.client), STATEMENT_LIMIT, () => {
        discard(slot)
        discardIdle()
      })
    } catch (error) {
      isRefused = isRefusal(error)
      if (isRefused) admission.refused()
      if (codeOf(error) === READ_ONLY) {
        discard(slot)
        discardIdle()
      }
      throw error
    } finally {
      if (isRefused) free.unshift(slot)
      else free.push(slot)
      admission.leave(kind)
    }
  }

  /** Runs `work` on a connection. If the server refuses a connection, it waits for another one. */
  function run<T>(kind: string, work: (client: postgres.Sql) => PromiseLike<T>): Promise<T> {
    return retry(() => runOnce(kind, work), {
      first: 20,
      longest: 250,
      limit: QUEUE_LIMIT,
      isTemporary: isRefusal,
    })
  }

  /** The functions of the driver that Drizzle uses. */
  const client = {
    options: { parsers: {}, serializers: {} },
    unsafe(text: string, ...rest: [never[]?, postgres.UnsafeQueryOptions?]) {
      let asArrays = false
      // Drizzle calls `values` at once, so that the statement is complete one turn later.
      const rows = Promise.resolve().then(() =>
        run<unknown>(text, (connection) => {
          const statement = connection.unsafe(rename(text), ...rest)
          return asArrays ? statement.values() : statement
        }),
      )
      return Object.assign(rows, {
        values() {
          asArrays = true
          return rows
        },
      })
    },
    begin: (work: (tx: postgres.TransactionSql) => Promise<unknown>) =>
      run('transaction', (connection) => beginSafely(connection, rename)(work)),
  }

  return {
    client: client as unknown as postgres.Sql,
    discardIdle,
    /** Closes all connections, at the latest after `timeout` seconds. */
    async close(timeout: number): Promise<void> {
      await Promise.all(slots.map((slot) => slot.client?.end({ timeout })))
    },
  }
}

/** Returns whether the server refused the connection. The statement was then not sent. */
function isRefusal(error: unknown): boolean {
  return codeOf(error) === TOO_MANY_CONNECTIONS
}
