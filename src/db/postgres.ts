import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { hostOf } from '../common/host-of.ts'
import { PawlError, unavailable } from '../errors.ts'
import { createQuery, type Database, withDeadline } from './database.ts'
import { isMigrated } from './migrate.ts'
import * as schema from './schema.ts'

/** Milliseconds to wait at start for a server that is not there yet, and between two looks. */
const START_LIMIT = 5_000
const RETRY_INTERVAL = 250

/**
 * Connect to the Postgres at `url`. Rejects within about 5 seconds where it cannot be reached, and where its schema is
 * not up to date. Afterwards the pool reconnects by itself, at most a second after the server is back.
 */
export async function openPostgres(url: string): Promise<Database> {
  const { client, begin } = createRenewable(() => connect(url))
  const orm = drizzle(client, { schema })
  const query = createQuery(begin)
  const database: Database = {
    orm,
    query,
    ping: async () => void (await query(orm.execute('select 1'))),
    close: () => client.end({ timeout: 5 }),
  }
  try {
    if (!(await whenReachable(() => isMigrated(database))))
      throw new Error("the schema is not up to date: run 'pawl migrate' first")
    return database
  } catch (error) {
    await client.end({ timeout: 0 })
    throw new Error(`Postgres at ${hostOf(url)}: ${messageOf(error)}`)
  }
}

function connect(url: string): postgres.Sql {
  return postgres(url, {
    connect_timeout: 5,
    backoff: (retries: number) => Math.min(0.05 * 2 ** retries, 1),
    onnotice: () => {},
    // Drizzle reads arrays by itself. The driver would ask for their types on each new connection, and a server that dies
    // just then would take this process with it: nobody hears of that rejection.
    fetch_types: false,
    connection: { application_name: 'pawl' },
  })
}

/**
 * A client whose pool is replaced when a statement on it was not answered in time. A network that swallows packets gives
 * no error, and the driver would wait on such connections for as long as TCP does, a quarter of an hour.
 */
function createRenewable(make: () => postgres.Sql) {
  let current = make()
  const client = new Proxy(current, {
    get: (_first, name) => (name === 'begin' ? beginSafely(current) : Reflect.get(current, name)),
    apply: (_first, self, args) => Reflect.apply(current, self, args),
  })
  function begin() {
    const used = current
    return () => {
      if (used !== current) return
      current = make()
      // Drizzle sets the driver's parsers, on each client anew.
      drizzle(current, { schema })
      used.end({ timeout: 0 }).catch(() => {})
    }
  }
  return { client, begin }
}

/**
 * The driver writes even to a connection that is gone, if it is that of a transaction: which ends the process where nobody can
 * catch it. So nothing more is sent for a transaction that has ended with its connection, `commit` and `rollback` included:
 * as the driver sees it, the work never ends.
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
      // A statement fails a moment before its connection is known to be gone.
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

/** Ask again for as long as it may take a server to start. */
async function whenReachable<T>(ask: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + START_LIMIT
  for (;;) {
    try {
      return await withDeadline(ask(), deadline - performance.now())
    } catch (error) {
      const isLast = performance.now() + RETRY_INTERVAL >= deadline
      if (!(error instanceof PawlError) || isLast) throw error
      await delay(RETRY_INTERVAL)
    }
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return 'cannot be reached'
  return error.cause instanceof Error ? `cannot be reached: ${error.cause.message}` : error.message
}
