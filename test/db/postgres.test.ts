import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { sql } from 'drizzle-orm'
import { type Database, rowsOf } from '../../src/db/database.ts'
import { openPostgres } from '../../src/db/postgres.ts'
import { PawlError } from '../../src/errors.ts'
import { cleanUp } from '../support/clean-up.ts'
import { startPostgres } from '../support/services/postgres.ts'
import { createTemplateDatabase } from '../support/services/template.ts'
import { until } from '../support/until.ts'

type Work = Parameters<Database['orm']['transaction']>[0]

async function setUp(t: TestContext): Promise<Database> {
  const postgres = await startPostgres()
  cleanUp(t, () => postgres.stop())
  const database = await openPostgres((await createTemplateDatabase(postgres.url)).url)
  cleanUp(t, () => database.close())
  return database
}

/** Kills the backend of the connection. The server then closes all connections and recovers. */
async function killBackend(tx: Parameters<Work>[0]): Promise<void> {
  const [backend] = rowsOf<{ pid: number }>(await tx.execute(sql`select pg_backend_pid() as pid`))
  process.kill(backend?.pid ?? 0, 'SIGKILL')
}

const isAvailable = (database: Database) =>
  database.ping().then(
    () => true,
    () => false,
  )

const LOSSES: Record<string, (database: Database) => Work> = {
  'during a statement': () => async (tx) => {
    await killBackend(tx)
    await tx.execute(sql`select pg_sleep(60)`)
  },
  'between two statements': (database) => async (tx) => {
    await killBackend(tx)
    await until(() => isAvailable(database))
    await tx.execute(sql`select 1`)
  },
  'before the work fails': (database) => async (tx) => {
    await killBackend(tx)
    await until(() => isAvailable(database))
    throw new Error('a failure of the work')
  },
  'before the commit': (database) => async (tx) => {
    await killBackend(tx)
    await until(() => isAvailable(database))
  },
}

for (const [when, work] of Object.entries(LOSSES))
  test(`a connection lost ${when} fails only its transaction`, async (t) => {
    const database = await setUp(t)
    const { orm, query } = database
    await assert.rejects(query(orm.transaction(work(database))), { code: 'AUTH_UNAVAILABLE' })
    const many = () =>
      Array.from({ length: 20 }, () => query(orm.transaction((tx) => tx.execute(sql`select 1`))))
    await until(async () =>
      (await Promise.allSettled(many())).every(({ status }) => status === 'fulfilled'),
    )
  })

test('a transaction is rolled back if its work fails', async (t) => {
  const { orm, query } = await setUp(t)
  const failure = new PawlError('AUTH_FORBIDDEN')
  const failing = orm.transaction(async (tx) => {
    await tx.execute(sql`create table pawl.left_behind ()`)
    throw failure
  })
  await assert.rejects(query(failing), failure)
  const found = await query(orm.execute(sql`select to_regclass('pawl.left_behind') as name`))
  assert.deepEqual(rowsOf(found)[0], { name: null })
})
