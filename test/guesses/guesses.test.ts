import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { createGuesses, type Guesser } from '../../src/guesses/guesses.ts'
import { createGuessRules } from '../../src/guesses/limits.ts'
import { createRedisGuessStore } from '../../src/guesses/redis-guess-store.ts'
import { connectRedis, disconnectRedis } from '../../src/redis/connect.ts'
import { cleanUp } from '../support/clean-up.ts'
import { createClock } from '../support/clock.ts'
import { required } from '../support/environment.ts'
import { GUESS_STORES } from '../support/guesses/stores.ts'

const SECRETS = 'a secret of tests'
const SETTINGS = { guessesPerAccount: 100, guessesPerClient: 10, guessesPerNetwork: 300 }
const ACCOUNT = 'ada@example.com'
const HOUR = 3_600_000
const DAY = 24 * HOUR

const stranger = (index: number): Guesser => ({
  kind: 'stranger',
  network: `203.0.${index >> 8}.${index & 255}`,
  site: undefined,
})
const device = (name: string): Guesser => ({ kind: 'known', client: `device ${name}` })

/** Creates the services of several nodes on one Redis. */
async function createNodes(t: TestContext, count: number, clock: () => number) {
  const prefix = `test:${randomBytes(8).toString('hex')}:`
  const clients = []
  for (let i = 0; i < count; i++) {
    const redis = await connectRedis(required('TEST_REDIS_URL'), () => {})
    cleanUp(t, () => disconnectRedis(redis))
    clients.push(redis)
  }
  const nodes = clients.map((redis) =>
    createGuesses({
      store: createRedisGuessStore(redis, { prefix, clock }),
      rules: createGuessRules(SETTINGS),
      secrets: SECRETS,
    }),
  )
  const [redis] = clients
  assert.ok(redis)
  return { nodes, redis, keys: () => redis.keys(`${prefix}*`) }
}

const createService = async (t: TestContext, clock: () => number, settings = {}) =>
  createGuesses({
    store: await GUESS_STORES.redis(t, clock),
    rules: createGuessRules({ ...SETTINGS, ...settings }),
    secrets: SECRETS,
  })

type Service = Awaited<ReturnType<typeof createService>>

/** Returns how many of these guesses, all made at the same time, were allowed. All are wrong. */
async function countAllowed(service: Service, guessers: Guesser[], account = ACCOUNT) {
  const outcomes = await Promise.all(guessers.map((one) => service.reserve(account, one)))
  return outcomes.filter(({ outcome }) => outcome === 'reserved').length
}

test('a botnet of 1,000 addresses has 100 guesses at an account, over all nodes', async (t) => {
  const clock = createClock()
  const { nodes, redis, keys } = await createNodes(t, 3, clock)
  const botnet = Array.from({ length: 1_000 }, (_, index) => stranger(index))
  const attack = async (addresses: Guesser[]) => {
    const counts = await Promise.all(
      nodes.map((node, index) =>
        countAllowed(
          node,
          addresses.filter((_, at) => at % 3 === index),
        ),
      ),
    )
    return counts.reduce((sum, count) => sum + count, 0)
  }

  let total = await attack(botnet)
  assert.equal(total, 11)
  // After each of the longest pauses another part of the botnet attacks at once.
  for (let round = 0; round < 120; round++) {
    clock.advance(15 * 60_000)
    const from = (round * 30) % botnet.length
    total += await attack(botnet.slice(from, from + 30))
  }
  assert.equal(total, SETTINGS.guessesPerAccount)
  clock.advance(90 * DAY)
  assert.equal(await attack(botnet.slice(0, 100)), 0)

  // What remains in Redis is bounded, expires, and names nobody.
  for (const key of await keys()) {
    assert.doesNotMatch(key, /ada|203\.0/)
    assert.ok((await redis.pttl(key)) > 0)
    const content = await redis.hgetall(key)
    assert.ok(Object.keys(content).length <= 102)
    assert.doesNotMatch(JSON.stringify(content), /ada|203\.0/)
  }
})

test('whoever guesses slowly has one guess a day in the long run', async (t) => {
  const clock = createClock()
  const service = await createService(t, clock)
  let total = 0
  for (let hour = 0; hour < 24 * 400; hour += 12) {
    total += await countAllowed(service, [stranger(hour % 65_536)])
    clock.advance(12 * HOUR)
  }
  assert.ok(total <= SETTINGS.guessesPerAccount + 400, `${total} guesses in 400 days`)
})

test('strangers do not use up the guesses of known devices, nor the other way round', async (t) => {
  const clock = createClock()
  const service = await createService(t, clock)
  for (let round = 0; round < 120; round++) {
    await countAllowed(service, [stranger(round)])
    clock.advance(15 * 60_000)
  }
  assert.equal(await countAllowed(service, [stranger(5_000)]), 0)
  const one = Array.from({ length: 12 }, () => device('one'))
  assert.equal(await countAllowed(service, one), 10)
  // One known device cannot lock out another within its own limit.
  assert.equal(await countAllowed(service, [device('another')]), 1)
  // All of them have as many guesses together as strangers have.
  let total = 11
  for (let index = 0; index < 30; index++)
    total += await countAllowed(
      service,
      one.map(() => device(`${index}`)),
    )
  assert.equal(total, 100)
})

test('a right password clears the guesses before it, and those of other networks stay', async (t) => {
  const service = await createService(t, createClock())
  const here = stranger(1)
  for (let i = 0; i < 5; i++) {
    assert.equal(await countAllowed(service, [here]), 1)
    assert.equal(await countAllowed(service, [stranger(2)]), 1)
  }
  const right = await service.reserve(ACCOUNT, here)
  assert.ok(right.outcome === 'reserved')
  await right.settle('cleared')
  assert.equal(
    await countAllowed(
      service,
      [...Array(5)].map(() => stranger(2)),
    ),
    5,
  )
  const refused = await service.reserve(ACCOUNT, stranger(2))
  assert.ok(refused.outcome === 'refused')
  assert.equal(refused.limit, 'client')
  assert.equal(await countAllowed(service, [here]), 1)
})

test('one network has a limit for all accounts, and an IPv6 site a looser one', async (t) => {
  const service = await createService(t, createClock(), { guessesPerNetwork: 20 })
  const at = (network: number): Guesser => ({
    kind: 'stranger',
    network: `2001:db8:1:${network}`,
    site: '2001:db8:1',
  })
  let account = 0
  const spray = async (guesser: Guesser, times: number) => {
    let allowed = 0
    for (let i = 0; i < times; i++)
      allowed += await countAllowed(service, [guesser], `user${account++}@example.com`)
    return allowed
  }
  assert.equal(await spray(at(0), 25), 20)
  for (let network = 1; network < 10; network++) assert.equal(await spray(at(network), 20), 20)
  const refused = await service.reserve('one@example.com', at(10))
  assert.ok(refused.outcome === 'refused')
  assert.equal(refused.limit, 'site')
  assert.equal(await spray(stranger(1), 1), 1)
  // A device of the account is not refused for what others in its network do.
  assert.equal(await countAllowed(service, [device('one')], 'user0@example.com'), 1)
})

test('one address gets five mails of a kind within an hour, whoever asks for them', async (t) => {
  const clock = createClock()
  const service = await createService(t, clock)
  const ask = async (times: number) => {
    const mails = Array.from({ length: times }, () => service.allowsMail('reset', ACCOUNT))
    const allowed = await Promise.all(mails)
    return allowed.filter(Boolean).length
  }
  assert.equal(await ask(100), 5)
  assert.equal(await service.allowsMail('reset', 'bob@example.com'), true)
  assert.equal(await service.allowsMail('verify', ACCOUNT), true)
  clock.advance(HOUR - 1)
  assert.equal(await ask(100), 0)
  clock.advance(1)
  assert.equal(await ask(100), 5)
})

test('a guess that one limit refuses is counted by none', async (t) => {
  const service = await createService(t, createClock(), { guessesPerNetwork: 20 })
  const here = stranger(1)
  await countAllowed(
    service,
    [...Array(100)].map(() => here),
  )
  // The ten that were allowed count for the network, and the ninety that were refused do not.
  const others = [...Array(15)].map((_, index) =>
    countAllowed(service, [here], `user${index}@example.com`),
  )
  const allowed = (await Promise.all(others)).reduce((sum, count) => sum + count, 0)
  assert.equal(allowed, 10)
})
