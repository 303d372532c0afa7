import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Redis } from 'ioredis'
import { me, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { openSql } from '../support/database.ts'
import { environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { logOut } from '../support/nodes.ts'
import { startRedis } from '../support/services/redis.ts'
import { until } from '../support/until.ts'

const STREAM = '{pawl:revocations}'
/** More than one page of Postgres and more than one batch of the stream. */
const REVOCATIONS = 4_500

async function setUp(t: TestContext) {
  const redis = await startRedis()
  cleanUp(t, redis.stop)
  const operator = new Redis(redis.url)
  cleanUp(t, async () => operator.disconnect())
  const env = await environment(t, { REDIS_URL: redis.url, REVOCATION_MAX_STALENESS: '1m' })
  return { operator, env, sql: openSql(t, env) }
}

/** Returns how often the stream has each revoked session. */
async function published(operator: Redis): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for (const [, fields] of await operator.xrange(STREAM, '-', '+')) {
    const { sessionId } = JSON.parse(fields[1] ?? '')
    if (sessionId) counts.set(sessionId, (counts.get(sessionId) ?? 0) + 1)
  }
  return counts
}

/** Returns how often a node has finished comparing the stream with what it knows. */
async function comparisons(operator: Redis): Promise<number> {
  const [, calls = '0'] =
    /^cmdstat_del:calls=(\d+)/m.exec(await operator.info('commandstats')) ?? []
  return Number(calls)
}

test('Only what the stream lacks is published again, and it keeps its age', async (t) => {
  const { operator, env, sql } = await setUp(t)
  const first = await build(t, env)
  await signUp(first)
  await sql`
    insert into sessions (id, user_id, created_at, expires_at, last_seen_at, revoked_at, published_at)
    select gen_random_uuid(), users.id, now(), now() + interval '1 day', now(),
      now() - n * interval '100 milliseconds', now()
    from users, generate_series(1, ${REVOCATIONS}::int) as n`
  const rows = await sql`select id, extract(epoch from revoked_at) * 1000 as at from sessions`
  const revoked = rows.filter(({ at }) => at !== null)

  const assertEachOnce = async (runs: number) => {
    await until(async () => (await comparisons(operator)) >= runs)
    await until(async () => (await published(operator)).size === REVOCATIONS)
    const counts = await published(operator)
    assert.deepEqual(
      [...counts.values()].filter((count) => count !== 1),
      [],
    )
  }
  // The first node found an empty stream when it started.
  await until(async () => (await comparisons(operator)) >= 1)
  await build(t, env)
  await assertEachOnce(2)
  // A node that starts has nothing to publish.
  const end = async () => (await operator.xrevrange(STREAM, '+', '-', 'COUNT', 1))[0]?.[0]
  const before = await end()
  await build(t, env)
  await assertEachOnce(3)
  assert.equal(await end(), before)

  for (const [round, lose] of [
    () => operator.del(STREAM),
    async () => {
      const tail = await operator.xrevrange(STREAM, '+', '-', 'COUNT', 100)
      await operator.xdel(STREAM, ...tail.map(([id]) => id))
    },
  ].entries()) {
    await lose()
    // Each of the three nodes compares the stream once.
    await assertEachOnce(3 + 3 * (round + 1))
  }
  const times = new Map(revoked.map(({ id, at }) => [id, Number(at)]))
  for (const [id, fields] of await operator.xrange(STREAM, '-', '+')) {
    const { sessionId } = JSON.parse(fields[1] ?? '')
    if (!sessionId) continue
    const at = Number(fields[fields.indexOf('at') + 1] ?? id.split('-')[0])
    // Each node rounds the time up to seconds.
    assert.ok(Math.abs(at - (times.get(sessionId) ?? 0)) < 10_000, `${sessionId} lives on`)
  }
})

test('A node that starts takes from the stream what Postgres has lost', async (t) => {
  const { env, sql } = await setUp(t)
  const one = await build(t, env)
  const { accessToken, refreshToken } = await signUp(one)
  assert.equal(await logOut(one, refreshToken), 204)
  await sql`update sessions set revoked_at = null, revoked_reason = null, published_at = null`
  const two = await build(t, env)
  assert.equal((await me(two, accessToken)).statusCode, 401)
})
