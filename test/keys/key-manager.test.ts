import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { generateSecrets } from '../../src/config/secrets.ts'
import { createEnvelope } from '../../src/keys/envelope.ts'
import type { JwtCodec } from '../../src/keys/jwt.ts'
import { createKeyManager } from '../../src/keys/key-manager.ts'
import { importKey, type KeyMaterial } from '../../src/keys/key-material.ts'
import { eachPurpose, type KeyRecords } from '../../src/keys/key-records.ts'
import { ROTATION_LEAD, retire, revoke, rotate } from '../../src/keys/lifecycle.ts'
import { createClock } from '../support/clock.ts'
import { databaseEnvironment } from '../support/environment.ts'
import { hmac, makeJwt } from '../support/forgeries.ts'
import { currentKid, kidOf, openRecords } from '../support/keys/key-records.ts'

/** Signs with HMAC whatever the algorithm is: signatures have tests of their own. */
function createJwt({ kid, secret }: KeyMaterial): JwtCodec {
  const sign = hmac(secret)
  return {
    sign: (claims) => makeJwt({ kid }, claims, sign),
    verify: (token) => {
      const [head = '', body = '', signature] = token.split('.')
      const expected = createHmac('sha256', secret).update(`${head}.${body}`).digest('base64url')
      if (signature !== expected) throw new Error('forged')
      return JSON.parse(Buffer.from(body, 'base64url').toString())
    },
  }
}

const SECRETS = generateSecrets('EdDSA')
const HOUR = 3_600_000

/** Starts nodes on one table. They never poll it. */
async function setUp(t: TestContext) {
  const records = await openRecords(t, await databaseEnvironment(t))
  const startNode = async (options: { records?: KeyRecords; encryption?: string } = {}) => {
    const monotonic = createClock(0)
    const warnings: object[] = []
    const manager = createKeyManager({
      records: options.records ?? records,
      envelope: createEnvelope(options.encryption ?? SECRETS.keyEncryptionSecret),
      policy: {
        accessTokenAlg: 'EdDSA',
        keyRotationAge: undefined,
        keyPublicationDelay: 0,
        tokenLife: { access: HOUR, refresh: HOUR },
      },
      configuredKeys: {
        access: importKey('access', 'EdDSA', SECRETS.accessTokenPrivateKey),
        refresh: importKey('refresh', 'HS256', SECRETS.refreshTokenSecret),
      },
      createJwt,
      interval: HOUR,
      log: { debug() {}, info() {}, warn: (facts) => warnings.push(facts) },
      monotonic,
    })
    await manager.start()
    t.after(() => manager.stop())
    return { ...manager, monotonic, warnings }
  }
  return { records, startNode }
}

const rotateAll = (records: KeyRecords) =>
  records.change((keys, now) => eachPurpose(keys, (own) => rotate(own, now)))

test('nodes that start together agree on the keys, first the configured ones', async (t) => {
  const { records, startNode } = await setUp(t)
  const nodes = await Promise.all(Array.from({ length: 5 }, () => startNode()))
  const { keys } = await records.readAll()
  assert.equal(keys.length, 4)
  const token = nodes[0]?.access.sign({ sub: 'ada' }) ?? ''
  assert.equal(kidOf(token), importKey('access', 'EdDSA', SECRETS.accessTokenPrivateKey).kid)
  for (const { access } of nodes) assert.deepEqual(access.verify(token), { sub: 'ada' })
})

test('a key signs from its time on, even if the node reads nothing in between', async (t) => {
  const { records, startNode } = await setUp(t)
  const { access, refreshKeys, monotonic } = await startNode()
  const first = kidOf(access.sign({}))
  await rotateAll(records)
  await refreshKeys()
  assert.equal(kidOf(access.sign({})), first)
  monotonic.advance(ROTATION_LEAD)
  assert.notEqual(kidOf(access.sign({})), first)
})

test('a refresh token is always signed with the key of its rotation time', async (t) => {
  const { records, startNode } = await setUp(t)
  const [one, other] = [await startNode(), await startNode()]
  const { now } = await records.read()
  const before = one.refresh.sign({ gen: 1 }, now)
  await rotateAll(records)
  for (const node of [one, other]) {
    await node.refreshKeys()
    node.monotonic.advance(ROTATION_LEAD + 1)
    assert.equal(node.refresh.sign({ gen: 1 }, now), before)
    assert.notEqual(
      kidOf(node.refresh.sign({ gen: 2 }, now + ROTATION_LEAD + 1_000)),
      kidOf(before),
    )
  }
})

test('a node with a stale picture of the keys reads them before it signs', async (t) => {
  const { records, startNode } = await setUp(t)
  const { refresh, monotonic } = await startNode()
  const first = kidOf(refresh.sign({}))
  assert.equal(refresh.refreshIfStale?.(), undefined)
  await rotateAll(records)
  monotonic.advance(ROTATION_LEAD)
  await refresh.refreshIfStale?.()
  assert.equal(refresh.refreshIfStale?.(), undefined)
  const { now } = await records.read()
  assert.notEqual(kidOf(refresh.sign({}, now + ROTATION_LEAD)), first)
})

test('an unknown key is read on its first token, and forged tokens cause few reads', async (t) => {
  const { records, startNode } = await setUp(t)
  let reads = 0
  const counting = {
    ...records,
    read: () => {
      reads++
      return records.read()
    },
  }
  const [one, other] = [await startNode(), await startNode({ records: counting })]
  // Two keys are revoked in a row, so the current key was created after the last read of the
  // other node.
  await records.change((keys, now) =>
    eachPurpose(keys, (own) => own.reduce((rest, { kid }) => revoke(rest, kid, now), own)),
  )
  await one.refreshKeys()
  const token = one.access.sign({ sub: 'ada' })
  assert.throws(() => other.access.verify(token))
  const forged = () => makeJwt({ kid: randomBytes(32).toString('base64url') }, {}, hmac('x'))
  assert.deepEqual(
    await Promise.all([other.access.loadKeyOf(token), other.access.loadKeyOf(forged())]),
    [true, false],
  )
  assert.deepEqual(other.access.verify(token), { sub: 'ada' })
  for (let count = 0; count < 100; count++)
    assert.equal(await other.access.loadKeyOf(forged()), false)
  for (const odd of [
    '',
    '.',
    'x.y.z',
    makeJwt({}, {}, hmac('x')),
    makeJwt({ kid: 7 }, {}, hmac('x')),
    makeJwt({ kid: '__proto__' }, {}, hmac('x')),
  ])
    assert.equal(await other.access.loadKeyOf(odd), false)
  assert.equal(reads, 1)
  other.monotonic.advance(1_000)
  assert.equal(await other.access.loadKeyOf(forged()), false)
  assert.equal(reads, 2)
})

test('without Postgres the known keys work, and an unknown key is unavailable', async (t) => {
  const { records, startNode } = await setUp(t)
  let isUnavailable = false
  const failing = {
    ...records,
    read: () => (isUnavailable ? Promise.reject(new Error('unavailable')) : records.read()),
  }
  const { access, refreshKeys } = await startNode({ records: failing })
  const token = access.sign({ sub: 'ada' })
  isUnavailable = true
  await assert.rejects(refreshKeys())
  assert.deepEqual(access.verify(token), { sub: 'ada' })
  assert.ok(access.sign({}))
  const unknown = makeJwt({ kid: randomBytes(32).toString('base64url') }, {}, hmac('x'))
  await assert.rejects(access.loadKeyOf(unknown), { code: 'AUTH_UNAVAILABLE' })
})

test('a key announced as revoked stays refused, whatever the table says', async (t) => {
  const { records, startNode } = await setUp(t)
  const { access, markRevoked, refreshKeys, revokedKeyIds } = await startNode()
  const token = access.sign({})
  markRevoked(kidOf(token))
  assert.throws(() => access.verify(token))
  await refreshKeys()
  assert.throws(() => access.verify(token))
  assert.deepEqual(revokedKeyIds(), [kidOf(token)])
  // The standby key is also the one that the table promotes.
  const next = kidOf(access.sign({}))
  assert.notEqual(next, kidOf(token))
  await records.change((keys, now) => eachPurpose(keys, (own) => revoke(own, kidOf(token), now)))
  await refreshKeys()
  assert.equal(kidOf(access.sign({})), next)
})

test('a node announces each key that it finds revoked in the table, once', async (t) => {
  const { records, startNode } = await setUp(t)
  const { refreshKeys, onRevoked } = await startNode()
  const announced: string[] = []
  onRevoked((kids) => announced.push(...kids))
  const kid = await currentKid(records, 'refresh')
  await records.change((keys, now) => eachPurpose(keys, (own) => revoke(own, kid, now)))
  await refreshKeys()
  await refreshKeys()
  assert.deepEqual(announced, [kid])
})

test('a revoked key is not taken from the configuration again', async (t) => {
  const { records, startNode } = await setUp(t)
  const { access } = await startNode()
  const first = kidOf(access.sign({}))
  await records.change((keys, now) => eachPurpose(keys, (own) => revoke(own, first, now)))
  assert.notEqual(kidOf((await startNode()).access.sign({})), first)
})

test('a next key that was retired is replaced by a new one', async (t) => {
  const { records, startNode } = await setUp(t)
  const { refreshKeys } = await startNode()
  const standby = (await records.read()).keys.find(
    (key) => key.purpose === 'access' && key.signsFrom === null,
  )
  await records.change((keys, now) =>
    eachPurpose(keys, (own) => retire(own, standby?.kid ?? '', now)),
  )
  await refreshKeys()
  const next = (await records.read()).keys.filter(
    (key) => key.purpose === 'access' && key.signsFrom === null,
  )
  assert.equal(next.length, 1)
  assert.notEqual(next[0]?.kid, standby?.kid)
})

test('the table holds the private halves encrypted, each bound to its row', async (t) => {
  const { records, startNode } = await setUp(t)
  const node = await startNode()
  const { keys } = await records.readAll()
  for (const key of keys) {
    assert.match(key.sealed ?? '', /^v1\.[\w-]{8}\.[\w-]+$/)
    for (const secret of [SECRETS.accessTokenPrivateKey, SECRETS.refreshTokenSecret])
      assert.ok(!JSON.stringify(key).includes(secret))
    assert.deepEqual(Object.keys(key.jwk ?? {}).includes('d'), false)
  }
  // An attacker who can write to the database replaces one key's text by another's.
  const [one, two] = keys.filter((key) => key.purpose === 'access')
  await records.change((rows) =>
    rows.map((key) => (key.kid === two?.kid ? { ...key, sealed: one?.sealed ?? null } : key)),
  )
  await assert.rejects(startNode(), /KEY_ENCRYPTION_SECRET/)
  // A running node ignores what it cannot decrypt.
  await node.refreshKeys()
  assert.ok(node.access.verify(node.access.sign({})))
})

test('a new encryption secret works beside the old one, and not without it', async (t) => {
  const { startNode } = await setUp(t)
  const { access } = await startNode()
  const changed = randomBytes(32).toString('base64url')
  await assert.rejects(startNode({ encryption: changed }), /KEY_ENCRYPTION_SECRET is not the one/)
  const both = await startNode({ encryption: `${changed},${SECRETS.keyEncryptionSecret}` })
  assert.deepEqual(both.access.verify(access.sign({ sub: 'ada' })), { sub: 'ada' })
})
