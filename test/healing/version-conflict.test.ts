import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import { createSnapshots } from '../../src/sessions/snapshots.ts'
import { callOnce, logIn, logInOnce, me, refresh, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { openSql } from '../support/database.ts'
import { copyDatabase } from '../support/database-copy.ts'
import { environment } from '../support/environment.ts'
import { adminToken } from '../support/events/scenarios.ts'
import { build } from '../support/in-process-server.ts'
import { until } from '../support/until.ts'

async function setUp(t: TestContext) {
  const env = await environment(t)
  const sql = openSql(t, env)
  const app = await build(t, env)
  const admin = await adminToken(app, sql)
  const { email } = await signUp(app)
  const { refreshToken, accessToken, sessionId } = (await logIn(app, email)).json()
  const { id } = (await me(app, accessToken)).json()
  const redis = new Redis(env.REDIS_URL ?? '')
  cleanUp(t, () => redis.quit())
  const setRoles = async (roles: string[]) =>
    (await callOnce(app, admin, 'PATCH', `/admin/users/${id}`, { roles })).statusCode
  const snapshots = createSnapshots(env.KEY_ENCRYPTION_SECRET ?? '')
  return { sql, app, snapshots, email, id, sessionId, refreshToken, redis, setRoles }
}

/** Returns the roles of the next access token, and what an administrator's route says to it. */
async function rolesAfterRefresh(app: FastifyInstance, refreshToken: string) {
  const pair = (await refresh(app, refreshToken)).json()
  const { roles } = (await me(app, pair.accessToken)).json()
  const { statusCode } = await callOnce(app, pair.accessToken, 'GET', '/admin/users')
  return { pair, roles, adminStatus: statusCode }
}

test('A change of roles after Postgres lost two of them is in force', async (t) => {
  const { sql, app, refreshToken, setRoles } = await setUp(t)
  const putBack = await copyDatabase(sql)
  await setRoles(['boss'])
  await setRoles(['boss', 'admin'])
  const { pair, adminStatus } = await rolesAfterRefresh(app, refreshToken)
  assert.equal(adminStatus, 200)
  await putBack()
  assert.equal(await setRoles(['reader']), 200)

  const after = await rolesAfterRefresh(app, pair.refreshToken)
  assert.deepEqual(after.roles, ['reader'])
  assert.equal(after.adminStatus, 403)
  assert.equal((await me(app, pair.accessToken)).statusCode, 401)
})

test('A change, a login and a re-opening replace a version that Postgres never gave out', async (t) => {
  const { sql, app, snapshots, email, id, sessionId, ...rest } = await setUp(t)
  const { refreshToken, redis, setRoles } = rest
  const versionOf = async () => Number((await sql`select ver from users where id = ${id}`)[0]?.ver)
  const reports = async () =>
    (await sql`select 1 from security_events where type = 'version_conflict'`).length
  /** Puts a version of the future in force, as Postgres did before it lost it, and returns it. */
  const putAhead = async () => {
    const ver = Math.max(await versionOf(), Date.now()) + 3_600_000
    await redis.hset(`pawl:{${id}}`, 'u', snapshots.seal(id, { ver, roles: ['admin'] }))
    return ver
  }

  let ahead = await putAhead()
  assert.equal(await setRoles(['reader']), 200)
  assert.ok((await versionOf()) > ahead)

  ahead = await putAhead()
  assert.equal((await logInOnce(app, email)).statusCode, 503)
  assert.ok((await versionOf()) > ahead)
  const login = (await logIn(app, email)).json()
  assert.deepEqual((await me(app, login.accessToken)).json().roles, ['reader'])

  ahead = await putAhead()
  await redis.hdel(`pawl:{${id}}`, Buffer.from(sessionId.replaceAll('-', ''), 'hex'))
  const { roles, adminStatus } = await rolesAfterRefresh(app, refreshToken)
  assert.deepEqual(roles, ['reader'])
  assert.equal(adminStatus, 403)
  assert.ok((await versionOf()) > ahead)

  await until(async () => (await reports()) === 3)
  const metrics = (await app.inject('/metrics')).body
  assert.match(metrics, /^pawl_versions_conflicting_total\{store="redis"\} 3$/m)
})
