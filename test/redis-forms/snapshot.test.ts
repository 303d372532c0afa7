import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Redis } from 'ioredis'
import { me, refresh, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { openSql } from '../support/database.ts'
import { environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { inject } from '../support/retry-unavailable.ts'
import { startRedis } from '../support/services/redis.ts'
import { until } from '../support/until.ts'

const rolesOf = (accessToken: string): string[] =>
  JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString()).roles

/** Starts a server on a Redis that can go back to a snapshot. */
async function setUp(t: TestContext) {
  const redis = await startRedis()
  cleanUp(t, () => redis.stop())
  const env = await environment(t, { REDIS_URL: redis.url })
  const app = await build(t, env)
  return {
    app,
    env,
    sql: openSql(t, env),
    async takeSnapshot() {
      const operator = new Redis(redis.url)
      await operator.save()
      operator.disconnect()
    },
    /** Kills Redis, so that it saves nothing newer, and starts it with the snapshot. */
    async restoreSnapshot() {
      await redis.crash('SIGKILL')
      await redis.restart()
      await until(async () => (await app.inject('/health/ready')).statusCode === 200)
    },
  }
}

test('An old snapshot of Redis restores no revoked session, even long after', async (t) => {
  const { app, env, sql, takeSnapshot, restoreSnapshot } = await setUp(t)
  const [revoked, live] = [await signUp(app), await signUp(app)]
  await takeSnapshot()
  const logout = {
    method: 'POST',
    url: '/auth/logout',
    payload: { refreshToken: revoked.refreshToken },
  } as const
  assert.equal((await inject(app, logout)).statusCode, 204)
  // So long ago that no node holds the revocation any more.
  await sql`
    update sessions set revoked_at = now() - interval '3 days' where id = ${revoked.sessionId}`
  await restoreSnapshot()
  const another = await build(t, env)
  for (const node of [another, app]) {
    assert.equal((await refresh(node, revoked.refreshToken)).statusCode, 401)
    assert.equal((await refresh(node, live.refreshToken)).statusCode, 200)
  }
})

test('A token that was spent after the snapshot is still recognized as spent', async (t) => {
  const { app, sql, takeSnapshot, restoreSnapshot } = await setUp(t)
  const first = await signUp(app)
  await takeSnapshot()
  const second = (await refresh(app, first.refreshToken)).json()
  const third = (await refresh(app, second.refreshToken)).json()
  const isCheckpointed = async () => {
    const [row] = await sql`select generation from sessions where id = ${first.sessionId}`
    return row?.generation === 3
  }
  await until(isCheckpointed)
  await restoreSnapshot()
  assert.equal((await refresh(app, first.refreshToken)).statusCode, 401)
  assert.equal((await refresh(app, third.refreshToken)).statusCode, 401)
})

test('Roles that were changed after the snapshot are in the next token', async (t) => {
  const { app, sql, takeSnapshot, restoreSnapshot } = await setUp(t)
  const { refreshToken, sessionId } = await signUp(app)
  await takeSnapshot()
  await sql`
    update users set roles = '{editor}', ver = ver + 1
    where id = (select user_id from sessions where id = ${sessionId})`
  await restoreSnapshot()
  const { accessToken } = (await refresh(app, refreshToken)).json()
  assert.deepEqual(rolesOf(accessToken), ['editor'])
  assert.equal((await me(app, accessToken)).statusCode, 200)
})
