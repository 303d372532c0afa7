import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type postgres from 'postgres'
import { callOnce, logIn, logInOnce, me, refresh, signUp } from '../support/app-requests.ts'
import { openSql } from '../support/database.ts'
import { environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'

const POOL_SIZE = 6

/** Locks the table until the function that it returns is called. */
async function lockTable(t: TestContext, env: Record<string, string>, table: string) {
  const sql = openSql(t, env)
  await sql.unsafe('begin')
  await sql.unsafe(`lock table ${table} in access exclusive mode`)
  return () => sql.unsafe('rollback')
}

/** Returns the number of backends that serve the server under test, and not this test. */
async function countBackends(sql: postgres.Sql): Promise<number> {
  const [row] = await sql`
    select count(*)::int as backends from pg_stat_activity
    where datname = current_database() and application_name = 'pawl'`
  return row?.backends
}

test('A locked table means 503, few backends, and other routes that continue', async (t) => {
  const env = await environment(t, { DATABASE_POOL_SIZE: String(POOL_SIZE) })
  const app = await build(t, env)
  const { accessToken, refreshToken } = await signUp(app)
  const { email } = await signUp(app)
  const sql = openSql(t, env)
  const unlock = await lockTable(t, env, 'sessions')

  let newest = refreshToken
  for (let round = 1; round <= 3; round++) {
    const load = Array.from({ length: 12 }, () => logInOnce(app, email))
    const blocked = Promise.all(load)
    assert.equal((await me(app, accessToken)).statusCode, 200)
    const refreshed = await refresh(app, newest)
    assert.equal(refreshed.statusCode, 200, refreshed.body)
    newest = refreshed.json().refreshToken
    // This reads and writes the table of users.
    const wrong = await callOnce(app, accessToken, 'POST', '/auth/password', {
      currentPassword: 'not the password',
      newPassword: 'another password',
    })
    assert.notEqual(wrong.statusCode, 503, wrong.body)
    for (const response of await blocked) assert.equal(response.statusCode, 503, response.body)
    const backends = await countBackends(sql)
    assert.ok(backends <= POOL_SIZE, `${backends} backends in round ${round}`)
  }

  await unlock()
  assert.equal((await logIn(app, email)).statusCode, 200)
  const logins = await Promise.all(Array.from({ length: 10 }, () => logInOnce(app, email)))
  for (const { statusCode, body } of logins) assert.equal(statusCode, 200, body)
  assert.ok((await countBackends(sql)) <= POOL_SIZE)
})

test('Postgres cancels the statements that wait for a lock', async (t) => {
  const env = await environment(t)
  const app = await build(t, env)
  const { email } = await signUp(app)
  const sql = openSql(t, env)
  const unlock = await lockTable(t, env, 'sessions')

  assert.equal((await logInOnce(app, email)).statusCode, 503)
  // Workers of the server wait for the lock too, so that this looks for the statement of the login.
  const [row] = await sql`
    select count(*)::int as waiting from pg_stat_activity
    where wait_event_type = 'Lock' and query like '%insert into sessions%'
      and datname = current_database()`
  await unlock()
  assert.equal(row?.waiting, 0)
})
