import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { createSharedClock } from '../../src/common/clocks.ts'
import { connectRedis, disconnectRedis } from '../../src/redis/connect.ts'
import { createRedisStore } from '../../src/sessions/redis-store.ts'
import type { SessionStore } from '../../src/sessions/session-store.ts'
import { cleanUp } from '../support/clean-up.ts'
import { createClock } from '../support/clock.ts'
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

const HOUR = 3_600_000
const AN_HOUR_AHEAD = (now: number) => ({
  serverClock: ONE_ERA.serverClock,
  clock: () => now + HOUR,
})
const fieldOf = (sessionId: string) => Buffer.from(sessionId.replaceAll('-', ''), 'hex')
const AUTHORIZATION = { ver: 1, roles: ['user'] }

test('A session of an unknown layout is unknown until it is re-opened', async (t) => {
  const { redis, store, userId, sessionId, key } = await setUp(t)
  const absoluteExpiry = (Math.floor(Date.now() / 1_000) + 60) * 1_000
  const session = { userId, absoluteExpiry, authorization: AUTHORIZATION, retryKey: null }
  await store.open({ ...session, sessionId, generation: 7 })
  const packed = await redis.hgetBuffer(key, fieldOf(sessionId))
  assert.ok(packed)
  const lead = Buffer.alloc(6)
  const unreadable = [
    ...[0, 2, 255].map((layout) => Buffer.concat([Buffer.from([layout]), packed.subarray(1)])),
    ...Array.from({ length: 41 }, (_, size) =>
      Buffer.concat([packed, lead, lead]).subarray(0, size),
    ),
  ].filter((value) => value[0] !== packed[0] || ![26, 32].includes(value.length))
  assert.ok(unreadable.length > 40)
  for (const value of unreadable) {
    await redis.hset(key, fieldOf(sessionId), value)
    const presented = { generation: 7, retryKey: null }
    assert.deepEqual(await store.rotate(userId, sessionId, presented), { outcome: 'unknown' })
    assert.equal(await store.find(userId, sessionId), undefined)
    const other = randomUUID()
    await store.open({ ...session, sessionId: other, generation: 1 })
    assert.ok(await store.find(userId, other))
    await store.close(userId, other)
    await store.open({ ...session, sessionId, generation: 7 })
    const expected = { ver: 1, roles: ['user'], generation: 7, absoluteExpiry }
    assert.deepEqual(await store.find(userId, sessionId), expected)
    assert.equal((await store.rotate(userId, sessionId, presented)).outcome, 'rotated')

    await redis.hset(key, fieldOf(sessionId), value)
    await store.closeAll(userId, sessionId)
    await store.setAuthorization(userId, AUTHORIZATION)
    await store.closeAll(userId)
    assert.equal(await redis.exists(key), 0)
  }
})

test("A login removes a damaged session, and leaves a later version's alone", async (t) => {
  const { redis, store, userId, sessionId, key } = await setUp(t)
  const absoluteExpiry = (Math.floor(Date.now() / 1_000) + 60) * 1_000
  const session = { userId, absoluteExpiry, authorization: AUTHORIZATION, retryKey: null }
  const logIn = () => store.open({ ...session, sessionId: randomUUID(), generation: 1 })
  for (const damaged of [Buffer.alloc(0), Buffer.alloc(3, 1), Buffer.alloc(26, 0)]) {
    await redis.hset(key, 'u', '1 user', fieldOf(sessionId), damaged)
    await logIn()
    assert.equal(await redis.hexists(key, fieldOf(sessionId)), 0)
  }
  const later = Buffer.alloc(26, 2)
  await redis.hset(key, fieldOf(sessionId), later)
  await logIn()
  assert.deepEqual(await redis.hgetBuffer(key, fieldOf(sessionId)), later)
  await redis.del(key)
})

test('A damaged authorization makes its sessions unknown until it is set again', async (t) => {
  const { redis, store, userId, key } = await setUp(t)
  const absoluteExpiry = Date.now() + 60_000
  for (const snapshot of ['', 'no version', ' 1 user']) {
    const sessionId = randomUUID()
    const authorization = AUTHORIZATION
    const session = { userId, sessionId, absoluteExpiry, authorization, retryKey: null }
    await store.open({ ...session, generation: 1 })
    await redis.hset(key, 'u', snapshot)
    const presented = { generation: 1, retryKey: null }
    assert.deepEqual(await store.rotate(userId, sessionId, presented), { outcome: 'unknown' })
    await store.setAuthorization(userId, authorization)
    assert.equal((await store.rotate(userId, sessionId, presented)).outcome, 'rotated')
  }
  await redis.del(key)
})

test('A session takes 26 bytes, and 6 more while its time is ahead of the clock', async (t) => {
  const { redis, prefix, userId, sessionId, key } = await setUp(t)
  const clock = createClock()
  const store = createRedisStore(redis, SETTINGS, { prefix, clock, ...ONE_ERA })
  const absoluteExpiry = clock() + 10 * SETTINGS.refreshIdleTtl
  const session = { userId, sessionId, absoluteExpiry, authorization: AUTHORIZATION }
  await store.open({ ...session, generation: 1, retryKey: null })
  const sizes: number[] = []
  for (const [generation, ms] of [0, 60_000, -30_000, 30_000].entries()) {
    clock.advance(ms)
    // A session of before the clock was set back is unknown until it is re-opened.
    await store.open({ ...session, generation: generation + 1, retryKey: null })
    await store.rotate(userId, sessionId, { generation: generation + 1, retryKey: null })
    sizes.push(await redis.hstrlen(key, fieldOf(sessionId)))
  }
  assert.deepEqual(sizes, [26, 26, 32, 26])
})

test('A command is sent again if the clock of Redis is not what the node assumed', async (t) => {
  const { redis, prefix, userId, sessionId } = await setUp(t)
  const now = Date.now()
  const storeAt = (ms: number) => {
    const serverClock = createSharedClock()
    serverClock.observe(now + ms, performance.now())
    return {
      serverClock,
      store: createRedisStore(redis, SETTINGS, { prefix, ...ONE_ERA, serverClock }),
    }
  }
  const session = { userId, sessionId, absoluteExpiry: now + 10 * HOUR, generation: 1 }
  for (const [index, ms] of [-HOUR, -2_000, 0, 2_000, HOUR].entries()) {
    const { store, serverClock } = storeAt(ms)
    await store.open({ ...session, authorization: AUTHORIZATION, retryKey: null })
    const presented = { generation: index + 1, retryKey: null }
    assert.equal((await store.rotate(userId, sessionId, presented)).outcome, 'rotated')
    assert.ok(Math.abs(serverClock.now() - Date.now()) < 1_000)
  }
})

test('A node learns from a refusal that the clock of Redis was set back', async (t) => {
  const { redis, prefix, userId, sessionId } = await setUp(t)
  const [now, presented] = [Date.now(), { generation: 1, retryKey: null }]
  const storeOf = (clockAhead: number) => {
    const serverClock = createSharedClock()
    serverClock.observe(now + clockAhead, performance.now())
    return createRedisStore(redis, SETTINGS, { prefix, ...ONE_ERA, serverClock })
  }
  const ahead = createRedisStore(redis, SETTINGS, { prefix, ...ONE_ERA, ...AN_HOUR_AHEAD(now) })
  const absoluteExpiry = now + 10 * SETTINGS.refreshIdleTtl
  const session = { userId, sessionId, absoluteExpiry, authorization: AUTHORIZATION }
  const open = (store: SessionStore) => store.open({ ...session, ...presented })
  await open(ahead)
  assert.equal((await ahead.rotate(userId, sessionId, presented)).outcome, 'rotated')

  // A node that started after that knows only since when the clock has been right.
  const newcomer = storeOf(0)
  assert.equal((await newcomer.rotate(userId, sessionId, presented)).outcome, 'replayed')
  // To a node that saw it, the session is of an earlier era.
  const witness = storeOf(HOUR)
  assert.equal((await witness.rotate(userId, sessionId, presented)).outcome, 'unknown')
  await open(witness)
  assert.equal((await witness.rotate(userId, sessionId, presented)).outcome, 'replayed')
  const second = { generation: 2, retryKey: null }
  assert.equal((await ahead.rotate(userId, sessionId, second)).outcome, 'rotated')
  const old = storeOf(-SETTINGS.grace - 500)
  assert.equal((await old.rotate(userId, sessionId, second)).outcome, 'reused')
})
