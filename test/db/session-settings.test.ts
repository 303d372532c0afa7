import assert from 'node:assert/strict'
import { test } from 'node:test'
import { migrate } from '../../src/db/migrate.ts'
import { call, refresh, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { openSql } from '../support/database.ts'
import { environment, required } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { startRedis } from '../support/services/redis.ts'
import { createEmptyDatabase } from '../support/services/template.ts'
import { until } from '../support/until.ts'

const SETTINGS = {
  datestyle: 'SQL, DMY',
  timezone: 'Asia/Kolkata',
  intervalstyle: 'sql_standard',
  search_path: 'elsewhere',
  extra_float_digits: '-15',
  default_transaction_isolation: 'serializable',
  statement_timeout: '1ms',
  idle_in_transaction_session_timeout: '1ms',
}

for (const [name, value] of Object.entries(SETTINGS))
  test(`Sessions are listed and re-opened if the database sets ${name}`, async (t) => {
    const redis = await startRedis()
    cleanUp(t, () => redis.stop())
    const env = await environment(t, { REDIS_URL: redis.url })
    const sql = openSql(t, env)
    const database = new URL(env.DATABASE_URL ?? '').pathname.slice(1)
    await sql.unsafe(`alter database ${database} set ${name} = '${value}'`)
    const app = await build(t, env)
    const { accessToken, refreshToken } = await signUp(app)

    const list = await call(app, accessToken, 'GET', '/auth/sessions')
    assert.equal(list.statusCode, 200, list.body)
    const [session] = list.json().sessions
    const [row] = await sql`
      select round(extract(epoch from created_at) * 1000)::float8 as created from sessions`
    assert.equal(Date.parse(session.createdAt), row?.created)

    // A restart of the private Redis loses all that is in it.
    await redis.restart()
    await until(async () => (await app.inject('/health/ready')).statusCode === 200)
    const refreshed = await refresh(app, refreshToken)
    assert.equal(refreshed.statusCode, 200, refreshed.body)
  })

test('The schema is migrated and found if the role and the database set search_path', async (t) => {
  const { name, url, drop } = await createEmptyDatabase(required('TEST_DATABASE_URL'))
  cleanUp(t, drop)
  const sql = openSql(t, { DATABASE_URL: url })
  await sql`create schema elsewhere`
  await sql.unsafe(`alter database ${name} set search_path = elsewhere`)
  await sql.unsafe(`alter role current_user in database ${name} set search_path = elsewhere`)
  await sql.unsafe(`alter database ${name} set statement_timeout = '100ms'`)
  await migrate(url)
  const app = await build(t, { DATABASE_URL: url })
  const { refreshToken } = await signUp(app)
  assert.equal((await refresh(app, refreshToken)).statusCode, 200)
  const [found] = await sql`select count(*)::int as tables from pg_tables
    where schemaname = 'elsewhere'`
  assert.equal(found?.tables, 0)
})
