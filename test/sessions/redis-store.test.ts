import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { connectRedis, disconnectRedis } from '../../src/redis/connect.ts'
import { createRedisStore } from '../../src/sessions/redis-store.ts'
import { cleanUp } from '../support/clean-up.ts'
import { required } from '../support/environment.ts'
import { ONE_ERA, SETTINGS } from '../support/sessions/stores.ts'

async function setUp(t: TestContext) {
  const redis = await connectRedis(required('TEST_REDIS_URL'), () => {})
  cleanUp(t, () => disconnectRedis(redis))
  const prefix = `test:${randomUUID()}:`
  const store = createRedisStore(redis, SETTINGS, { prefix, ...ONE_ERA })
  const [userId, sessionId] = [randomUUID(), randomUUID()]
  return { redis, prefix, store, userId, sessionId, key: `${prefix}{${userId}}` }
}

test("A user's key expires with the longest session, and rotations extend it", async (t) => {
  const { redis, prefix, store, userId, sessionId, key } = await setUp(t)
  const remainingLife = async () => Math.round((await redis.pttl(key)) / 60_000) * 60_000

  const absoluteExpiry = Date.now() + 10 * SETTINGS.refreshIdleTtl
  const authorization = { ver: 1, roles: [] }
  await store.open({
    userId,
    sessionId,
    absoluteExpiry,
    authorization,
    generation: 1,
    retryKey: null,
  })
  assert.equal(await remainingLife(), SETTINGS.refreshIdleTtl)
  await redis.pexpire(key, 60_000)
  await store.rotate(userId, sessionId, { generation: 1, retryKey: null })
  assert.equal(await remainingLife(), SETTINGS.refreshIdleTtl)

  const short = { ...SETTINGS, refreshIdleTtl: 60_000 }
  const shorter = createRedisStore(redis, short, { prefix, ...ONE_ERA })
  await shorter.open({
    userId,
    sessionId: randomUUID(),
    absoluteExpiry,
    authorization,
    generation: 1,
    retryKey: null,
  })
  assert.equal(await remainingLife(), SETTINGS.refreshIdleTtl)
  await store.close(userId, sessionId)
})

test('A session packed by an earlier version is unknown until it is re-opened', async (t) => {
  const { redis, store, userId, sessionId, key } = await setUp(t)
  const [now, retryKey] = [Date.now(), null]
  const absoluteExpiry = now + 60_000
  // The earlier layout: generation, time of rotation, retry key, idle expiry, absolute expiry, era.
  const packed = Buffer.alloc(34, 0xff)
  packed.writeUInt32BE(7)
  packed.writeUIntBE(now, 4, 6)
  packed.writeUIntBE(now + SETTINGS.refreshIdleTtl, 18, 6)
  packed.writeUIntBE(absoluteExpiry, 24, 6)
  packed.writeUInt32BE(1, 30)
  await redis.hset(key, 'u', '1 user', Buffer.from(sessionId.replaceAll('-', ''), 'hex'), packed)

  assert.deepEqual(await store.rotate(userId, sessionId, { generation: 7, retryKey }), {
    outcome: 'unknown',
  })
  const authorization = { ver: 1, roles: ['user'] }
  await store.open({ userId, sessionId, absoluteExpiry, authorization, generation: 7, retryKey })
  const next = await store.rotate(userId, sessionId, { generation: 7, retryKey })
  assert.equal(next.outcome === 'rotated' && next.currentToken.expiresAt, absoluteExpiry)
  await store.close(userId, sessionId)
})

test('Damaged fields are unknown, and a login of the same user succeeds', async (t) => {
  const { redis, store, userId, sessionId, key } = await setUp(t)
  const field = (id: string) => Buffer.from(id.replaceAll('-', ''), 'hex')
  const retryKey = null
  const absoluteExpiry = Date.now() + 60_000
  const authorization = { ver: 1, roles: ['user'] }
  const session = { userId, absoluteExpiry, authorization, generation: 1, retryKey }
  for (const damage of [Buffer.alloc(0), Buffer.alloc(3, 1), Buffer.alloc(25, 1)]) {
    await redis.hset(key, 'u', '1 user', field(sessionId), damage)
    const presented = { generation: 1, retryKey }
    assert.deepEqual(await store.rotate(userId, sessionId, presented), { outcome: 'unknown' })
    assert.equal(await store.find(userId, sessionId), undefined)
    const other = randomUUID()
    await store.open({ ...session, sessionId: other })
    assert.equal((await store.rotate(userId, other, presented)).outcome, 'rotated')
    assert.equal(await redis.hexists(key, field(sessionId)), 0)
  }
  for (const snapshot of ['', 'no version']) {
    const other = randomUUID()
    await store.open({ ...session, sessionId: other })
    await redis.hset(key, 'u', snapshot)
    const presented = { generation: 1, retryKey }
    assert.deepEqual(await store.rotate(userId, other, presented), { outcome: 'unknown' })
    await store.setAuthorization(userId, authorization)
    assert.equal((await store.rotate(userId, other, presented)).outcome, 'rotated')
  }
  await redis.del(key)
})
