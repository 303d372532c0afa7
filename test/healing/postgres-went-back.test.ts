import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { callOnce, logIn, me, refresh, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { runCli } from '../support/cli-process.ts'
import { PASSWORD } from '../support/credentials.ts'
import { openSql } from '../support/database.ts'
import { copyDatabase } from '../support/database-copy.ts'
import { type Env, environment } from '../support/environment.ts'
import { adminToken, stealSession } from '../support/events/scenarios.ts'
import { build } from '../support/in-process-server.ts'
import { logOut } from '../support/nodes.ts'
import { startRedis } from '../support/services/redis.ts'
import { until } from '../support/until.ts'

async function setUp(t: TestContext) {
  const redis = await startRedis()
  cleanUp(t, () => redis.stop())
  const env = await environment(t, { REDIS_URL: redis.url })
  return { env, sql: openSql(t, env), app: await build(t, env) }
}

/** Replaces the only node by a new one, which knows nothing but what the stores say. */
async function restart(t: TestContext, app: FastifyInstance, env: Env): Promise<FastifyInstance> {
  await app.close()
  return build(t, env)
}

const refreshStatus = async (app: FastifyInstance, refreshToken: string) =>
  (await refresh(app, refreshToken)).statusCode

test('Sessions that ended before Postgres lost it do not come back', async (t) => {
  const { env, sql, app } = await setUp(t)
  const [live, loggedOut, changed] = [await signUp(app), await signUp(app), await signUp(app)]
  const putBack = await copyDatabase(sql)
  assert.equal(await logOut(app, loggedOut.refreshToken), 204)
  const passwords = { currentPassword: PASSWORD, newPassword: `${PASSWORD} and more` }
  const { accessToken } = (await logIn(app, changed.email)).json()
  await callOnce(app, accessToken, 'POST', '/auth/password', passwords)
  await putBack()

  const next = await restart(t, app, env)
  for (const { refreshToken, accessToken } of [loggedOut, changed]) {
    assert.equal(await refreshStatus(next, refreshToken), 401)
    assert.equal((await me(next, accessToken)).statusCode, 401)
  }
  assert.equal(await refreshStatus(next, live.refreshToken), 200)
  const revoked = await sql`select id from sessions where revoked_at is not null order by id`
  const expected = [loggedOut.sessionId, changed.sessionId].sort().map((id) => ({ id }))
  assert.deepEqual([...revoked], expected)
})

test('A session that ended for theft stays revoked if Postgres loses that', async (t) => {
  const { env, sql, app } = await setUp(t)
  const putBack = await copyDatabase(sql)
  const sessionId = await stealSession(app)
  const [user] = await sql`select * from users where id = (
    select user_id from sessions where id = ${sessionId})`
  const [session] = await sql`select * from sessions where id = ${sessionId}`
  await putBack()
  // The login had reached the copy, and its end had not.
  await sql`insert into users ${sql(user ?? {})}`
  await sql`insert into sessions ${sql({ ...session, revoked_at: null, revoked_reason: null })}`

  await restart(t, app, env)
  assert.deepEqual(
    [...(await sql`select revoked_reason from sessions where id = ${sessionId}`)],
    [{ revoked_reason: 'revoked_again' }],
  )
})

test('Demoted, disabled and deleted users do not get back what they had', async (t) => {
  const { env, sql, app } = await setUp(t)
  const admin = await adminToken(app, sql)
  const users = []
  for (const roles of [['boss', 'admin'], ['boss'], ['boss'], ['boss']]) {
    const user = await signUp(app)
    await sql`update users set roles = ${roles} where email = ${user.email}`
    const { accessToken, refreshToken } = (await logIn(app, user.email)).json()
    const { id } = (await me(app, accessToken)).json()
    users.push({ email: user.email, id, accessToken, refreshToken, url: `/admin/users/${id}` })
  }
  const [demoted, disabled, deleted, ended] = users
  assert.ok(demoted && disabled && deleted && ended)
  const putBack = await copyDatabase(sql)
  await callOnce(app, admin, 'PATCH', demoted.url, { roles: ['reader'] })
  await callOnce(app, admin, 'PATCH', disabled.url, { status: 'disabled' })
  await callOnce(app, admin, 'DELETE', deleted.url)
  await callOnce(app, admin, 'DELETE', `${ended.url}/sessions`)
  await putBack()

  const next = await restart(t, app, env)
  for (const { accessToken } of users) assert.equal((await me(next, accessToken)).statusCode, 401)
  for (const { refreshToken } of [disabled, deleted, ended])
    assert.equal(await refreshStatus(next, refreshToken), 401)
  for (const { email } of [disabled, deleted])
    assert.equal((await logIn(next, email)).statusCode, 401)
  const renewed = (await refresh(next, demoted.refreshToken)).json()
  assert.deepEqual((await me(next, renewed.accessToken)).json().roles, ['reader'])
  assert.equal((await logIn(next, ended.email)).statusCode, 200)
  const rows = await sql`select roles, status from users where id = ${deleted.id}`
  assert.deepEqual([...rows], [{ roles: ['boss'], status: 'disabled' }])
})

test('A revoked key and the revocation of everything hold if Postgres loses them', async (t) => {
  const { env, sql, app } = await setUp(t)
  const before = await signUp(app)
  const putBack = await copyDatabase(sql)
  const [key] = await sql`
    select kid from signing_keys where purpose = 'access' and signs_from is not null`
  await runCli(['revoke-all', '--yes'], env)
  await runCli(['keys', 'retire', key?.kid, '--now', '--yes'], env)
  const isPublished = async () => {
    const [epoch] = await sql`select published_at from epochs`
    return Boolean(epoch?.published_at)
  }
  await until(isPublished)
  await until(async () => (await me(app, before.accessToken)).statusCode === 401)
  const keyIsOut = async () => !(await app.inject('/.well-known/jwks.json')).body.includes(key?.kid)
  await until(keyIsOut)
  await putBack()

  const next = await restart(t, app, env)
  assert.equal(await refreshStatus(next, before.refreshToken), 401)
  assert.equal((await me(next, before.accessToken)).statusCode, 401)
  const revoked =
    await sql`select 1 from signing_keys where kid = ${key?.kid} and revoked_at is not null`
  assert.equal(revoked.length, 1)
  assert.ok(!(await next.inject('/.well-known/jwks.json')).body.includes(key?.kid))
})

test('A session that Postgres lost goes on, and ends if its user was lost, too', async (t) => {
  const { env, sql, app } = await setUp(t)
  const user = await signUp(app)
  const putBack = await copyDatabase(sql)
  const kept = (await logIn(app, user.email)).json()
  const stranger = await signUp(app)
  await putBack()

  const next = (await refresh(app, kept.refreshToken)).json()
  assert.equal(await refreshStatus(app, stranger.refreshToken), 200)
  // A stop writes the last checkpoints.
  const restarted = await restart(t, app, env)
  const [row] = await sql`
    select generation, expires_at - created_at > interval '1 day' as "isLong", revoked_at
    from sessions where id = ${kept.sessionId}`
  assert.deepEqual({ ...row }, { generation: 2, isLong: true, revoked_at: null })
  assert.equal(await refreshStatus(restarted, next.refreshToken), 200)
  assert.equal(await refreshStatus(restarted, stranger.refreshToken), 401)
  assert.equal((await me(restarted, stranger.accessToken)).statusCode, 401)
})

test('A running node notices that Postgres went back, reports it and restores', async (t) => {
  const { sql, app } = await setUp(t)
  const user = await signUp(app)
  const putBack = await copyDatabase(sql)
  const [copied] = await sql`select counter from store_state`
  await logOut(app, user.refreshToken)
  await until(
    async () => (await sql`select counter from store_state`)[0]?.counter > copied?.counter,
  )
  await putBack()

  const reports = () => sql`select detail from security_events where type = 'postgres_went_back'`
  await until(async () => (await reports()).length > 0)
  const detail = { sessions: 1, users: 0, everything: 0, keys: 0 }
  assert.deepEqual([...(await reports())], [{ detail }])
  const [session] = await sql`select revoked_reason from sessions`
  assert.equal(session?.revoked_reason, 'revoked_again')
  const metrics = (await app.inject('/metrics')).body
  assert.match(metrics, /^pawl_postgres_went_back_total\{found_by="counter"\} 1$/m)
  assert.match(metrics, /^pawl_revocations_restored_total\{kind="sessions"\} 1$/m)
})

test('A session that is re-opened before the comparison ends with it', async (t) => {
  const { sql, app } = await setUp(t)
  const admin = await adminToken(app, sql)
  const user = await signUp(app)
  const { id } = (await me(app, user.accessToken)).json()
  const putBack = await copyDatabase(sql)
  const [copied] = await sql`select counter from store_state`
  await callOnce(app, admin, 'DELETE', `/admin/users/${id}/sessions`)
  await until(
    async () => (await sql`select counter from store_state`)[0]?.counter > copied?.counter,
  )
  await putBack()
  // It is not live any more if the node has compared the stores by now.
  const renewed = await refresh(app, user.refreshToken)
  const newest = renewed.statusCode === 200 ? renewed.json().refreshToken : user.refreshToken

  const isPublished = async () => {
    const [session] = await sql`select published_at from sessions where id = ${user.sessionId}`
    return Boolean(session?.published_at)
  }
  await until(isPublished)
  assert.equal(await refreshStatus(app, newest), 401)
})
