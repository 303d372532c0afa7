import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { generateSecrets } from '../../src/config/secrets.ts'
import { createEnvelope } from '../../src/keys/envelope.ts'
import type { Jwt } from '../../src/keys/jwt.ts'
import { createKeyKeeper } from '../../src/keys/key-manager.ts'
import { importKey, type KeyMaterial } from '../../src/keys/key-material.ts'
import { eachPurpose, type KeyRecords } from '../../src/keys/key-records.ts'
import { LEAD, retire, revoke, rotate } from '../../src/keys/lifecycle.ts'
import { databaseEnvironment } from '../support/cli-process.ts'
import { hmac, makeJwt } from '../support/forgeries.ts'
import { createClock } from '../support/helper.ts'
import { currentKid, kidOf, openRecords } from '../support/keys/key-records.ts'

/** As it is signed does not matter here: of any key, the library's own tests say enough. */
async function createJwt({ kid, secret }: KeyMaterial): Promise<Jwt> {
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
const LONG = 3_600_000

/** Nodes on one table that never look at it by themselves. */
async function setUp(t: TestContext) {
  const records = await openRecords(t, await databaseEnvironment(t))
  const startNode = async (options: { records?: KeyRecords; encryption?: string } = {}) => {
    const monotonic = createClock(0)
    const warnings: object[] = []
    const keeper = createKeyKeeper({
      records: options.records ?? records,
      envelope: createEnvelope(options.encryption ?? SECRETS.keyEncryptionSecret),
      policy: {
        algorithm: 'EdDSA',
        keyRotationAge: undefined,
        keyPublicationDelay: 0,
        tokenLife: { access: LONG, refresh: LONG },
      },
      given: {
        access: importKey('access', 'EdDSA', SECRETS.accessTokenPrivateKey),
        refresh: importKey('refresh', 'HS256', SECRETS.refreshTokenSecret),
      },
      createJwt,
      interval: LONG,
      log: { debug() {}, info() {}, warn: (facts) => warnings.push(facts) },
      monotonic,
    })
    await keeper.start()
    t.after(() => keeper.stop())
    return { ...keeper, monotonic, warnings }
  }
  return { records, startNode }
}

const rotateAll = (records: KeyRecords) =>
  records.change((keys, now) => eachPurpose(keys, (own) => rotate(own, now)))

test('nodes that start at once agree on the keys, and the first are those of the configuration', async (t) => {
  const { records, startNode } = await setUp(t)
  const nodes = await Promise.all(Array.from({ length: 5 }, () => startNode()))
  const { keys } = await records.readAll()
  assert.equal(keys.length, 4)
  const token = nodes[0]?.access.sign({ sub: 'ada' }) ?? ''
  assert.equal(kidOf(token), importKey('access', 'EdDSA', SECRETS.accessTokenPrivateKey).kid)
  for (const { access } of nodes) assert.deepEqual(access.verify(token), { sub: 'ada' })
})

test('a key signs from its time on also at a node that cannot read the table since', async (t) => {
  const { records, startNode } = await setUp(t)
  const { access, look, monotonic } = await startNode()
  const first = kidOf(access.sign({}))
  await rotateAll(records)
  await look()
  assert.equal(kidOf(access.sign({})), first)
  monotonic.advance(LEAD)
  assert.notEqual(kidOf(access.sign({})), first)
})

test('a refresh token is signed with the key of its time, however late it is signed again', async (t) => {
  const { records, startNode } = await setUp(t)
  const [one, other] = [await startNode(), await startNode()]
  const { now } = await records.read()
  const before = one.refresh.sign({ gen: 1 }, now)
  await rotateAll(records)
  for (const node of [one, other]) {
    await node.look()
    node.monotonic.advance(LEAD + 1)
    assert.equal(node.refresh.sign({ gen: 1 }, now), before)
    assert.notEqual(kidOf(node.refresh.sign({ gen: 2 }, now + LEAD + 1_000)), kidOf(before))
  }
})

test('a node that has not looked for a while looks before it signs for a session', async (t) => {
  const { records, startNode } = await setUp(t)
  const { refresh, monotonic } = await startNode()
  const first = kidOf(refresh.sign({}))
  assert.equal(refresh.prepare?.(), undefined)
  await rotateAll(records)
  monotonic.advance(LEAD)
  await refresh.prepare?.()
  assert.equal(refresh.prepare?.(), undefined)
  const { now } = await records.read()
  assert.notEqual(kidOf(refresh.sign({}, now + LEAD)), first)
})

test('a node learns of the key of another from its first token, and is not made to ask by made-up ones', async (t) => {
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
  // Two in a row were no secret any more: the one that signs now was made after the other node last looked.
  await records.change((keys, now) =>
    eachPurpose(keys, (own) => own.reduce((held, { kid }) => revoke(held, kid, now), own)),
  )
  await one.look()
  const token = one.access.sign({ sub: 'ada' })
  assert.throws(() => other.access.verify(token))
  const forged = () => makeJwt({ kid: randomBytes(32).toString('base64url') }, {}, hmac('x'))
  assert.deepEqual(await Promise.all([other.access.learn(token), other.access.learn(forged())]), [
    true,
    false,
  ])
  assert.deepEqual(other.access.verify(token), { sub: 'ada' })
  for (let count = 0; count < 100; count++) assert.equal(await other.access.learn(forged()), false)
  for (const odd of [
    '',
    '.',
    'x.y.z',
    makeJwt({}, {}, hmac('x')),
    makeJwt({ kid: 7 }, {}, hmac('x')),
    makeJwt({ kid: '__proto__' }, {}, hmac('x')),
  ])
    assert.equal(await other.access.learn(odd), false)
  assert.equal(reads, 1)
  other.monotonic.advance(1_000)
  assert.equal(await other.access.learn(forged()), false)
  assert.equal(reads, 2)
})

test('a node that cannot read the table goes on with what it knows, and does not judge a key unknown to it', async (t) => {
  const { records, startNode } = await setUp(t)
  let away = false
  const failing = {
    ...records,
    read: () => (away ? Promise.reject(new Error('away')) : records.read()),
  }
  const { access, look } = await startNode({ records: failing })
  const token = access.sign({ sub: 'ada' })
  away = true
  await assert.rejects(look())
  assert.deepEqual(access.verify(token), { sub: 'ada' })
  assert.ok(access.sign({}))
  const unknown = makeJwt({ kid: randomBytes(32).toString('base64url') }, {}, hmac('x'))
  await assert.rejects(access.learn(unknown), { code: 'AUTH_UNAVAILABLE' })
})

test('a key that a node was told is dead is refused and signs no more, whatever the table said before', async (t) => {
  const { records, startNode } = await setUp(t)
  const { access, drop, look, revoked } = await startNode()
  const token = access.sign({})
  drop(kidOf(token))
  assert.throws(() => access.verify(token))
  await look()
  assert.throws(() => access.verify(token))
  assert.deepEqual(revoked(), [kidOf(token)])
  // The key that stands by is the one that the table promotes.
  const next = kidOf(access.sign({}))
  assert.notEqual(next, kidOf(token))
  await records.change((keys, now) => eachPurpose(keys, (own) => revoke(own, kidOf(token), now)))
  await look()
  assert.equal(kidOf(access.sign({})), next)
})

test('of what a node reads was retired at once, the others are told', async (t) => {
  const { records, startNode } = await setUp(t)
  const { look, onRevoked } = await startNode()
  const told: string[] = []
  onRevoked((kids) => told.push(...kids))
  const kid = await currentKid(records, 'refresh')
  await records.change((keys, now) => eachPurpose(keys, (own) => revoke(own, kid, now)))
  await look()
  await look()
  assert.deepEqual(told, [kid])
})

test('a key that is gone is not taken from the configuration again', async (t) => {
  const { records, startNode } = await setUp(t)
  const { access } = await startNode()
  const first = kidOf(access.sign({}))
  await records.change((keys, now) => eachPurpose(keys, (own) => revoke(own, first, now)))
  assert.notEqual(kidOf((await startNode()).access.sign({})), first)
})

test('a next key that was retired is replaced by another', async (t) => {
  const { records, startNode } = await setUp(t)
  const { look } = await startNode()
  const standby = (await records.read()).keys.find(
    (key) => key.purpose === 'access' && key.signsFrom === null,
  )
  await records.change((keys, now) =>
    eachPurpose(keys, (own) => retire(own, standby?.kid ?? '', now)),
  )
  await look()
  const next = (await records.read()).keys.filter(
    (key) => key.purpose === 'access' && key.signsFrom === null,
  )
  assert.equal(next.length, 1)
  assert.notEqual(next[0]?.kid, standby?.kid)
})

test('the private halves are in the table, encrypted, each bound to its place', async (t) => {
  const { records, startNode } = await setUp(t)
  const node = await startNode()
  const { keys } = await records.readAll()
  for (const key of keys) {
    assert.match(key.sealed ?? '', /^v1\.[\w-]{8}\.[\w-]+$/)
    for (const secret of [SECRETS.accessTokenPrivateKey, SECRETS.refreshTokenSecret])
      assert.ok(!JSON.stringify(key).includes(secret))
    assert.deepEqual(Object.keys(key.jwk ?? {}).includes('d'), false)
  }
  // Somebody who can write to the database puts one key's text where another's was.
  const [one, two] = keys.filter((key) => key.purpose === 'access')
  await records.change((held) =>
    held.map((key) => (key.kid === two?.kid ? { ...key, sealed: one?.sealed ?? null } : key)),
  )
  await assert.rejects(startNode(), /KEY_ENCRYPTION_SECRET/)
  // A node that runs leaves what it cannot read alone.
  await node.look()
  assert.ok(node.access.verify(node.access.sign({})))
})

test('with another encryption secret a node does not start, with a new one beside the old one it does', async (t) => {
  const { startNode } = await setUp(t)
  const { access } = await startNode()
  const changed = randomBytes(32).toString('base64url')
  await assert.rejects(startNode({ encryption: changed }), /KEY_ENCRYPTION_SECRET is not the one/)
  const both = await startNode({ encryption: `${changed},${SECRETS.keyEncryptionSecret}` })
  assert.deepEqual(both.access.verify(access.sign({ sub: 'ada' })), { sub: 'ada' })
})
