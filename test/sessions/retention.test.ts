import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { openPostgres } from '../../src/db/postgres.ts'
import { createRetention } from '../../src/sessions/retention.ts'
import { refresh, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { createClock } from '../support/clock.ts'
import { openSql } from '../support/database.ts'
import { databaseEnvironment, type Env, environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { until } from '../support/until.ts'

const DAY = 86_400_000
const HOUR = DAY / 24

/** Signs up a user the given number of days ago. The session lives for 30 days from then on. */
async function signUpAgo(t: Parameters<typeof build>[0], env: Env, days: number) {
  const app = await build(t, env, createClock(Date.now() - days * DAY))
  const pair = await signUp(app)
  await app.close()
  return pair
}

test('Sessions are deleted a month after they expire, however many there are', async (t) => {
  const env = await environment(t)
  const sql = openSql(t, env)
  const old = await signUpAgo(t, env, 61)
  const late = await signUpAgo(t, env, 59)
  const live = await signUpAgo(t, env, 6)
  // Started when SESSION_MAX_TTL was higher.
  const long = await signUpAgo(t, env, 90)
  await sql`update sessions set expires_at = now() + interval '1 day' where id = ${long.sessionId}`
  await sql`
    insert into sessions (id, user_id, created_at, expires_at, last_seen_at, revoked_at)
    select ('017f0000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, user_id, created_at,
      expires_at, last_seen_at, last_seen_at
    from sessions, generate_series(1, 2500) as n where id = ${old.sessionId}`

  const app = await build(t, env)
  const left = async () => (await sql`select id from sessions`).map(({ id }) => id)
  await until(async () => (await left()).length <= 3)
  assert.deepEqual(
    new Set(await left()),
    new Set([late, live, long].map(({ sessionId }) => sessionId)),
  )
  assert.equal((await refresh(app, live.refreshToken)).statusCode, 200)
  for (const { refreshToken } of [old, late])
    assert.equal((await refresh(app, refreshToken)).statusCode, 401)
})

test('Published user revocations are deleted a month after the tokens they apply to', async (t) => {
  const env = await databaseEnvironment(t)
  const database = await openPostgres(env.DATABASE_URL)
  cleanUp(t, () => database.close())
  const sql = openSql(t, env)
  const insert = async (days: number, isPublished: boolean) => {
    const id = randomUUID()
    await sql`
      insert into user_revocations (user_id, ver, sessions_ended, at, published_at)
      values (${id}, 2, true, now() - make_interval(days => ${days}),
        ${isPublished ? sql`now()` : null})`
    return id
  }
  const [, young, unpublished] = [
    await insert(33, true),
    await insert(31, true),
    await insert(33, false),
  ]
  await sql`
    insert into epochs (started_at, at, published_at)
    values (now() - interval '9 years', now() - interval '9 years', now())`
  const { deleteRevocations } = createRetention(database)
  // Access tokens live for two days here. A revocation of 31 days ago applies to a token that would
  // have expired 29 days ago, which is less than a month.
  assert.equal(await deleteRevocations(48 * HOUR), 1)
  const left = await sql`select user_id from user_revocations`
  assert.deepEqual(new Set(left.map((row) => row.user_id)), new Set([young, unpublished]))
  assert.equal((await sql`select 1 from epochs`).length, 1)
})
