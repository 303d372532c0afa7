import assert from 'node:assert/strict'
import { test } from 'node:test'
import { logIn, logInOnce, signUp } from '../support/app-requests.ts'
import { openSql } from '../support/database.ts'
import { environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { until } from '../support/until.ts'

test('A read-only Postgres means 503, and logins succeed after it is writable', async (t) => {
  const env = await environment(t)
  const app = await build(t, env)
  const { email } = await signUp(app)
  const database = new URL(env.DATABASE_URL ?? '').pathname.slice(1)
  const sql = openSql(t, env)
  const setReadOnly = async (value: 'on' | 'off') => {
    await sql.unsafe(`alter database ${database} set default_transaction_read_only = ${value}`)
  }
  const isReady = async () => (await app.inject('/health/ready')).statusCode === 200

  await setReadOnly('on')
  await sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = ${database} and pid <> pg_backend_pid()`
  await until(async () => (await logInOnce(app, email)).statusCode === 503)
  for (let attempt = 1; attempt <= 5; attempt++) {
    const { statusCode, body } = await logInOnce(app, email)
    assert.equal(statusCode, 503, body)
    assert.equal(await isReady(), false)
  }

  await setReadOnly('off')
  await until(isReady)
  assert.equal((await logIn(app, email)).statusCode, 200)
})

test('A missing table means 503 until a restore has created it', async (t) => {
  const env = await environment(t)
  const app = await build(t, env)
  const { email } = await signUp(app)
  const sql = openSql(t, env)
  await sql`alter table sessions rename to sessions_elsewhere`
  assert.equal((await logInOnce(app, email)).statusCode, 503)
  await sql`alter table sessions_elsewhere rename to sessions`
  assert.equal((await logIn(app, email)).statusCode, 200)
})
