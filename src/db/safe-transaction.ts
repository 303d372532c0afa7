import { setImmediate as nextTurn } from 'node:timers/promises'
import type postgres from 'postgres'
import { unavailable } from '../errors.ts'

/**
 * Returns `begin` of the driver, without its writes to a connection that is closed. If a connection
 * closes during a transaction, the driver still writes to it, which ends the process with an error
 * that no code can catch; or, if the connection was reopened, the rest runs in another transaction.
 *
 * After the transaction has failed with its connection, its statements throw here. The work never
 * settles as far as the driver can see, so that it sends neither `commit` nor `rollback`. `rename`
 * completes the text of each statement.
 *
 * This can be removed when porsager/postgres issues 1133 and 1208 are fixed: the tests of lost
 * connections in `test/db/postgres.test.ts` then pass without it.
 */
export function beginSafely(client: postgres.Sql, rename: (text: string) => string) {
  return (work: (tx: postgres.TransactionSql) => Promise<unknown>) => {
    let isOver = false
    const guarded = (tx: postgres.TransactionSql) =>
      new Proxy(tx, {
        get(_tx, name) {
          if (isOver) throw unavailable('Postgres')
          if (name !== 'unsafe') return Reflect.get(tx, name)
          return (text: string, ...rest: [never[]?, postgres.UnsafeQueryOptions?]) =>
            tx.unsafe(rename(text), ...rest)
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
