import { setImmediate as nextTurn } from 'node:timers/promises'
import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { unavailable } from '../errors.ts'
import * as schema from './schema.ts'

/** Returns a pool of connections to the Postgres at `url`. It connects on the first statement. */
function createPool(url: string): postgres.Sql {
  return postgres(url, {
    connect_timeout: 5,
    backoff: (retries: number) => Math.min(0.05 * 2 ** retries, 1),
    onnotice: () => {},
    // Drizzle parses arrays itself. If this option is on and the server dies while a connection
    // starts, an unhandled rejection ends the process: porsager/postgres issue 1192. The option
    // stays off after that issue is fixed, because it also costs a statement per connection.
    fetch_types: false,
    connection: {
      application_name: 'pawl',
      // The texts that Drizzle and the statements read depend on these. A database may have others.
      DateStyle: 'ISO',
      TimeZone: 'UTC',
      IntervalStyle: 'postgres',
    },
  })
}

/**
 * Returns a client whose pool can be replaced. Call `onStart` before each statement. Call the
 * function that it returns if the statement is not answered in time, or if the server is read-only:
 * new connections find the server that is the writer now.
 *
 * If a network drops packets, there is no error, and the driver waits on such a connection for as
 * long as TCP does: a quarter of an hour. This can be removed when the driver closes the connection
 * of a statement that takes too long: porsager/postgres issue 1089.
 */
export function createReplaceablePool(url: string) {
  let current = createPool(url)
  const client = new Proxy(current, {
    get: (_first, name) => (name === 'begin' ? beginSafely(current) : Reflect.get(current, name)),
    apply: (_first, self, args) => Reflect.apply(current, self, args),
  })
  function onStart() {
    const used = current
    return () => {
      if (used !== current) return
      current = createPool(url)
      // Drizzle sets the parsers of the driver. It must do so for each new pool.
      drizzle(current, { schema })
      used.end({ timeout: 0 }).catch(() => {})
    }
  }
  return { client, onStart }
}

/**
 * Returns `begin` of the driver, without its writes to a connection that is closed. If a connection
 * closes during a transaction, the driver still writes to it, which ends the process with an error
 * that no code can catch; or, if the connection was reopened, the rest runs in another transaction.
 *
 * After the transaction has failed with its connection, its statements throw here. The work never
 * settles as far as the driver can see, so that it sends neither `commit` nor `rollback`.
 *
 * This can be removed when porsager/postgres issues 1133 and 1208 are fixed: the tests of lost
 * connections in `test/db/postgres.test.ts` then pass without it.
 */
function beginSafely(client: postgres.Sql) {
  return (work: (tx: postgres.TransactionSql) => Promise<unknown>) => {
    let isOver = false
    const guarded = (tx: postgres.TransactionSql) =>
      new Proxy(tx, {
        get(_tx, name) {
          if (isOver) throw unavailable('Postgres')
          return Reflect.get(tx, name)
        },
      })
    const transaction = client.begin(async (tx) => {
      const [result] = await Promise.allSettled([work(guarded(tx))])
      // The statement fails one turn before `begin` rejects because of the closed connection.
      if (result.status === 'rejected') await nextTurn()
      if (isOver) return new Promise<never>(() => {})
      if (result.status === 'rejected') throw result.reason
      return result.value
    })
    transaction.catch(() => {
      isOver = true
    })
    return transaction
  }
}
