import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { logInOnce, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { openSql } from '../support/database.ts'
import { type Env, environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'

/** Returns an environment whose Postgres role may open this many connections. */
async function limitedEnvironment(t: TestContext, connections: number): Promise<Env> {
  const env = await environment(t)
  const sql = openSql(t, env)
  const url = new URL(env.DATABASE_URL ?? '')
  const role = `limited_${url.pathname.slice(1)}`
  await sql.unsafe(`create role ${role} login connection limit ${connections}`)
  await sql.unsafe(`grant all on schema pawl to ${role}`)
  await sql.unsafe(`grant all on all tables in schema pawl to ${role}`)
  cleanUp(t, async () => {
    await sql.unsafe(`drop owned by ${role}`)
    await sql.unsafe(`drop role ${role}`)
  })
  url.username = role
  return { ...env, DATABASE_URL: url.href }
}

for (const connections of [3, 1])
  test(`Logins wait for each other if Postgres grants ${connections} connections`, async (t) => {
    const app = await build(t, await limitedEnvironment(t, connections))
    const { email } = await signUp(app)
    const logins = await Promise.all(Array.from({ length: 12 }, () => logInOnce(app, email)))
    for (const { statusCode, body } of logins) assert.equal(statusCode, 200, body)
  })

test('A server with DATABASE_POOL_SIZE 1 opens one connection', async (t) => {
  const env = await environment(t, { DATABASE_POOL_SIZE: '1' })
  const app = await build(t, env)
  const { email } = await signUp(app)
  const logins = await Promise.all(Array.from({ length: 12 }, () => logInOnce(app, email)))
  for (const { statusCode, body } of logins) assert.equal(statusCode, 200, body)
  const [row] = await openSql(t, env)`
    select count(*)::int as backends from pg_stat_activity
    where datname = current_database() and application_name = 'pawl'`
  assert.equal(row?.backends, 1)
})
