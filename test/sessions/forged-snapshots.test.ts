/** What somebody gets who can write to Redis: the copies of the roles in it are authenticated. */

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Redis } from 'ioredis'
import { createSnapshots } from '../../src/sessions/snapshots.ts'
import { call, callOnce, logIn, me, refresh, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { newClientSecret } from '../support/credentials.ts'
import { openSql } from '../support/database.ts'
import { environment } from '../support/environment.ts'
import { adminToken } from '../support/events/scenarios.ts'
import { build } from '../support/in-process-server.ts'

async function setUp(t: TestContext) {
  const env = await environment(t, { REVOCATION_MAX_STALENESS: '1m' })
  const sql = openSql(t, env)
  const app = await build(t, env)
  const admin = await adminToken(app, sql)
  const redis = new Redis(env.REDIS_URL ?? '')
  cleanUp(t, () => redis.quit())
  const idOf = async (accessToken: string): Promise<string> =>
    (await me(app, accessToken)).json().id
  const pair = await signUp(app)
  const id = await idOf(pair.accessToken)
  const keyOf = (userId: string) => `pawl:{${userId}}`
  return {
    app,
    sql,
    env,
    id,
    adminId: await idOf(admin),
    pair,
    snapshotOf: async (userId = id) => (await redis.hget(keyOf(userId), 'u')) ?? '',
    write: (snapshot: string) => redis.hset(keyOf(id), 'u', snapshot),
    setRoles: (roles: string[]) => call(app, admin, 'PATCH', `/admin/users/${id}`, { roles }),
    /** Refreshes, and returns the roles of the token and how routes respond to it. */
    async use(refreshToken: string) {
      const next = (await refresh(app, refreshToken)).json()
      const { accessToken } = next
      return {
        next,
        roles: (await me(app, accessToken)).json().roles,
        list: (await callOnce(app, accessToken, 'GET', '/admin/users')).statusCode,
        change: (await callOnce(app, accessToken, 'PATCH', `/admin/users/${id}`, { roles: [] }))
          .statusCode,
      }
    },
  }
}

test('A forged snapshot in Redis is replaced by the roles in Postgres', async (t) => {
  const { app, pair, id, adminId, snapshotOf, write, use } = await setUp(t)
  const genuine = await snapshotOf()
  const [ver = '', ...rest] = genuine.split(' ')
  const mac = rest.at(-1)
  const forgeries = [
    `${ver} admin`,
    `${ver} admin ${mac}`,
    `${Number(ver) + 1_000_000} admin ${mac}`,
    `${ver} admin AAAAAAAAAAA`,
    `${ver}`,
    await snapshotOf(adminId),
    createSnapshots('another secret').seal(id, { ver: Number(ver), roles: ['admin'] }),
  ]
  let { refreshToken } = pair
  for (const forged of forgeries) {
    await write(forged)
    const { next, ...seen } = await use(refreshToken)
    assert.deepEqual(seen, { roles: [], list: 403, change: 403 }, forged)
    assert.equal(await snapshotOf(), genuine)
    refreshToken = next.refreshToken
  }
  const metrics = (await app.inject('/metrics')).body
  assert.match(metrics, /^pawl_snapshots_forged_total\{store="redis"\} 7$/m)
})

test('A login and a change of roles replace a forged snapshot', async (t) => {
  const { app, pair, write, setRoles, use } = await setUp(t)
  const forged = `${Date.now() + 3_600_000} admin`
  await write(forged)
  const login = (await logIn(app, pair.email)).json()
  assert.deepEqual((await me(app, login.accessToken)).json().roles, [])
  assert.deepEqual((await use(login.refreshToken)).roles, [])

  await write(forged)
  assert.equal((await setRoles(['reader'])).statusCode, 200)
  assert.deepEqual((await use(pair.refreshToken)).roles, ['reader'])
})

test('An earlier snapshot of the same user brings no roles back', async (t) => {
  const { pair, snapshotOf, write, setRoles, use } = await setUp(t)
  await setRoles(['admin'])
  const earlier = await snapshotOf()
  await setRoles(['reader'])
  await write(earlier)
  const { next, ...seen } = await use(pair.refreshToken)
  assert.deepEqual(seen, { roles: ['reader'], list: 403, change: 403 })
  assert.notEqual(await snapshotOf(), earlier)
})

test('A change by an administrator needs the role in Postgres, whatever Redis says', async (t) => {
  const { sql, id, pair, setRoles, use } = await setUp(t)
  await setRoles(['admin'])
  // No node knows of this change any more, so the snapshot in Redis looks like the newest one.
  await sql`update users set roles = '{reader}' where id = ${id}`
  const { next, change } = await use(pair.refreshToken)
  assert.equal(change, 403)
  await sql`update users set ver = ver + 1 where id = ${id}`
  assert.equal((await use(next.refreshToken)).change, 401)
})

test('Snapshots stay valid while the secret is replaced', async (t) => {
  const { env, pair, snapshotOf } = await setUp(t)
  const before = await snapshotOf()
  const secrets = `${newClientSecret()},${env.KEY_ENCRYPTION_SECRET}`
  const node = await build(t, { ...env, KEY_ENCRYPTION_SECRET: secrets })
  assert.equal((await refresh(node, pair.refreshToken)).statusCode, 200)
  assert.equal(await snapshotOf(), before)
  const metrics = (await node.inject('/metrics')).body
  assert.doesNotMatch(metrics, /^pawl_snapshots_forged_total.* [1-9]/m)
})
