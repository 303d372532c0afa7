import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { logIn, me, refresh, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { openSql } from '../support/database.ts'
import { environment } from '../support/environment.ts'
import { adminToken, readEvents } from '../support/events/scenarios.ts'
import { build } from '../support/in-process-server.ts'
import { logOut, startNode, status } from '../support/nodes.ts'
import { startRedis } from '../support/services/redis.ts'
import { until } from '../support/until.ts'

/** Starts two nodes on a private Redis that can lose everything. */
async function setUp(t: TestContext) {
  const redis = await startRedis()
  cleanUp(t, () => redis.stop())
  const env = await environment(t, { REDIS_URL: redis.url })
  const sql = openSql(t, env)
  const [app, other] = [await build(t, env), await build(t, env)]
  const loseRedis = async () => {
    await redis.restart()
    await until(async () => (await other.inject('/health/ready')).statusCode === 200)
  }
  const rowOf = async (id: string) => (await sql`select * from sessions where id = ${id}`)[0]
  const loseRow = async (id: string) => void (await sql`delete from sessions where id = ${id}`)
  return { env, sql, app, other, loseRedis, rowOf, loseRow }
}

/** A node that stops writes the checkpoints that it still has. */
const writeCheckpoints = (app: FastifyInstance) => app.close()

const refreshStatus = async (app: FastifyInstance, token: string) =>
  (await refresh(app, token)).statusCode

test('A session whose row Postgres lost goes on, and survives the loss of Redis', async (t) => {
  const { app, other, loseRedis, rowOf, loseRow } = await setUp(t)
  const { email } = await signUp(app)
  const first = (await logIn(app, email)).json()
  const before = await rowOf(first.sessionId)
  await loseRow(first.sessionId)
  const second = (await refresh(app, first.refreshToken)).json()
  await writeCheckpoints(app)

  const after = await rowOf(first.sessionId)
  const wholeSecond = Math.floor(before?.expires_at.getTime() / 1_000) * 1_000
  assert.deepEqual(
    { user: after?.user_id, created: after?.created_at, expires: after?.expires_at.getTime() },
    { user: before?.user_id, created: before?.created_at, expires: wholeSecond },
  )
  assert.equal(after?.generation, 2)
  assert.equal(after?.revoked_at, null)
  await loseRedis()
  assert.equal(await refreshStatus(other, second.refreshToken), 200)
})

test('Two nodes that insert the same rows again do not disturb each other', async (t) => {
  const { sql, app, other, rowOf } = await setUp(t)
  const people = await Promise.all(Array.from({ length: 20 }, () => signUp(app)))
  await sql`delete from sessions`
  for (const { refreshToken } of people)
    assert.equal(
      await refreshStatus(other, (await refresh(app, refreshToken)).json().refreshToken),
      200,
    )
  await Promise.all([writeCheckpoints(app), writeCheckpoints(other)])
  for (const { sessionId } of people) {
    const row = await rowOf(sessionId)
    assert.equal(row?.revoked_at, null)
    assert.equal(row?.generation, 3)
  }
})

for (const [when, endFirst] of [
  ['before', true],
  ['after', false],
] as const)
  test(`A logout ${when} its row is inserted again ends a session for good`, async (t) => {
    const { app, other, loseRedis, rowOf, loseRow } = await setUp(t)
    const first = await signUp(app)
    await loseRow(first.sessionId)
    const second = (await refresh(app, first.refreshToken)).json()
    if (!endFirst) await writeCheckpoints(app)
    assert.equal(await logOut(other, second.refreshToken), 204)
    if (endFirst) await writeCheckpoints(app)

    const row = await rowOf(first.sessionId)
    assert.equal(row?.revoked_reason, 'logout')
    await loseRedis()
    assert.equal(await refreshStatus(other, second.refreshToken), 401)
    assert.equal((await me(other, second.accessToken)).statusCode, 401)
  })

test('A theft is recorded although Postgres lost the row of the session', async (t) => {
  const { sql, app, rowOf, loseRow } = await setUp(t)
  const admin = await adminToken(app, sql)
  const first = await signUp(app)
  const { sessionId } = first
  const second = (await refresh(app, first.refreshToken)).json()
  await refresh(app, second.refreshToken)
  await loseRow(sessionId)
  assert.equal(await refreshStatus(app, first.refreshToken), 401)
  const types = (await readEvents(app, admin, { sessionId })).map(({ type }) => type)
  assert.ok(types.includes('reuse_found'), types.join())
  assert.equal((await rowOf(sessionId))?.revoked_reason, 'reuse')
})

test('A session whose user Postgres lost ends', async (t) => {
  const { env, sql, app } = await setUp(t)
  const other = await startNode(t, env)
  const first = await signUp(app)
  const bystander = await signUp(app)
  await sql`delete from users where email = ${first.email}`
  const second = (await refresh(app, first.refreshToken)).json()
  assert.equal(await status(other, second.accessToken), 200)
  await refresh(app, bystander.refreshToken)
  await writeCheckpoints(app)

  await until(async () => (await status(other, second.accessToken)) === 401)
  assert.equal(await refreshStatus(other, second.refreshToken), 401)
  assert.equal(await status(other, bystander.accessToken), 200)
})
