import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import postgres from 'postgres'
import { refresh, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { runCli } from '../support/cli-process.ts'
import { required } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { type PgBouncerOptions, startPgBouncer } from '../support/services/pgbouncer.ts'
import { createEmptyDatabase } from '../support/services/template.ts'

const MIGRATIONS = new URL('../../drizzle/', import.meta.url)

/** Returns undefined, and skips the test, if the machine has no PgBouncer. */
async function setUp(t: TestContext, options: Omit<PgBouncerOptions, 'url'>) {
  const database = await createEmptyDatabase(required('TEST_DATABASE_URL'))
  cleanUp(t, () => database.drop())
  const pooler = await startPgBouncer({ ...options, url: database.url })
  if (!pooler) {
    t.skip('there is no pgbouncer on this machine')
    return undefined
  }
  cleanUp(t, pooler.stop)
  return { direct: database.url, env: { DATABASE_URL: pooler.url } }
}

test('Migrations through PgBouncer in transaction mode leave no lock and no setting', async (t) => {
  const found = await setUp(t, { mode: 'transaction', size: 2 })
  if (!found) return
  const { direct, env } = found
  // Each of them uses one of two connections, which outlive it.
  const results = await Promise.all([1, 2, 3].map(() => runCli(['migrate'], env)))
  for (const { code, stderr } of results) assert.equal(code, 0, stderr)
  const sql = postgres(direct, { max: 1, onnotice: () => {} })
  cleanUp(t, () => sql.end())
  const locks = await sql`
    select pid from pg_locks where locktype = 'advisory' and
      database = (select oid from pg_database where datname = current_database())`
  assert.deepEqual([...locks], [])
  const applied = await sql`select name from pawl.migrations`
  const files = (await readdir(MIGRATIONS)).filter((name) => name.endsWith('.sql'))
  assert.equal(applied.length, files.length)

  const pooled = postgres(env.DATABASE_URL, { max: 1, onnotice: () => {} })
  cleanUp(t, () => pooled.end())
  const [row] = await pooled`
    select count(*) filter (where source = 'session')::int as changed from pg_settings
    where name in ('lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout')`
  assert.equal(row?.changed, 0)
})

for (const mode of ['session', 'transaction'] as const)
  test(`A server works through PgBouncer in ${mode} mode`, async (t) => {
    // Two connections for the ten of the pool, so that each transaction may get another one.
    const found = await setUp(t, { mode, size: mode === 'transaction' ? 2 : 20 })
    if (!found) return
    const migrated = await runCli(['migrate'], found.env)
    assert.equal(migrated.code, 0, migrated.stderr)
    const app = await build(t, found.env)
    const people = await Promise.all(Array.from({ length: 8 }, () => signUp(app)))
    for (const { refreshToken } of people)
      assert.equal((await refresh(app, refreshToken)).statusCode, 200)
  })
