import assert from 'node:assert/strict'
import { createHmac, randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { FastifyInstance } from 'fastify'
import type { Sql } from 'postgres'
import type { TokenPair } from '../../src/schemas/token-pair.ts'
import { logIn, refresh, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { newRetryKey } from '../support/credentials.ts'
import { openSql } from '../support/database.ts'
import { type Env, environment } from '../support/environment.ts'
import { changePasswords, stealASession } from '../support/events/happenings.ts'
import { build } from '../support/in-process-server.ts'
import { startServer } from '../support/server-process.ts'
import { pairOf, post, signUpAt } from '../support/server-requests.ts'
import { until } from '../support/until.ts'
import { type ReceivedRequest, type Receiver, startReceiver } from '../support/webhook/receiver.ts'

const newSecret = () => randomBytes(24).toString('hex')

async function webhookEnvironment(
  t: TestContext,
  receiver: Receiver,
  overrides: Env = {},
): Promise<Env> {
  const webhook = { WEBHOOK_URL: receiver.url, WEBHOOK_SECRET: newSecret() }
  return environment(t, { GRACE: '0s', ...webhook, ...overrides })
}

async function pending(sql: Sql): Promise<number> {
  const [row] = await sql`select count(*)::int from webhook_deliveries where dead_at is null`
  return row?.count
}

const ids = (calls: ReceivedRequest[]) => calls.map(({ event }) => event.id)
const sessionsOf = (calls: ReceivedRequest[]) => new Set(calls.map(({ event }) => event.sessionId))

async function exampleOfTheGuide(t: TestContext) {
  const guide = await readFile(new URL('../../docs/guides/events.md', import.meta.url), 'utf8')
  const [, code = ''] = /```js\n([\s\S]*?)```/.exec(guide) ?? []
  const folder = await mkdtemp(join(tmpdir(), 'pawl-guide-'))
  cleanUp(t, () => rm(folder, { recursive: true }))
  const file = join(folder, 'example.mjs')
  await writeFile(file, code)
  return import(pathToFileURL(file).href)
}

test('theft is told to the webhook, signed by each secret, and nothing else is', async (t) => {
  const receiver = await startReceiver(t)
  const secrets = [newSecret(), newSecret()]
  const url = receiver.url.replace('://', '://pawl:p%40ss@')
  const env = await webhookEnvironment(t, receiver, {
    WEBHOOK_SECRET: secrets.join(','),
    WEBHOOK_URL: url,
  })
  const app = await build(t, env)
  const sql = openSql(t, env)
  const sessionId = await stealASession(app)
  await until(async () => receiver.accepted.length > 0 && (await pending(sql)) === 0)

  assert.equal(receiver.requests.length, 1)
  const [{ headers, text, event } = assert.fail()] = receiver.requests
  const [row] = await sql`select id, user_id from security_events where type = 'reuse_found'`
  const { at, ip, userAgent, detail, ...rest } = event as Record<string, unknown>
  assert.deepEqual(rest, { id: row?.id, type: 'reuse_found', userId: row?.user_id, sessionId })
  assert.deepEqual([ip, userAgent], ['127.0.0.1', 'thief'])
  assert.ok(Math.abs(Date.parse(String(at)) - Date.now()) < 60_000)
  assert.equal((detail as Record<string, unknown>).presentedGeneration, 1)

  assert.equal(headers['pawl-event-id'], row?.id)
  assert.equal(headers['content-type'], 'application/json')
  assert.equal(headers.authorization, `Basic ${Buffer.from('pawl:p@ss').toString('base64')}`)
  const [, time = '', ...given] =
    /^t=(\d+),v1=([0-9a-f]{64}),v1=([0-9a-f]{64})$/.exec(String(headers['pawl-signature'])) ?? []
  assert.ok(Math.abs(Number(time) - Date.now() / 1000) < 60)
  const expected = secrets.map((secret) =>
    createHmac('sha256', secret).update(`${time}.${text}`).digest('hex'),
  )
  assert.deepEqual(given, expected)

  // The guide's example agrees, and lets nothing else pass.
  const { isFromPawl } = await exampleOfTheGuide(t)
  const signature = String(headers['pawl-signature'])
  for (const secret of secrets) assert.equal(isFromPawl(signature, text, secret), true)
  assert.equal(isFromPawl(signature, text, newSecret()), false)
  assert.equal(isFromPawl(signature, `${text} `, secrets[0]), false)
  assert.equal(isFromPawl(signature, text, secrets[0], Date.now() + 400_000), false)
  assert.equal(isFromPawl(signature.replace(time, 'x'), text, secrets[0]), false)
  assert.equal(isFromPawl(`t=${time},v1=00`, text, secrets[0]), false)
})

test('a receiver that is down for a while misses nothing, and each session in order; requests go on meanwhile', async (t) => {
  const receiver = await startReceiver(t)
  const env = await webhookEnvironment(t, receiver)
  const app = await build(t, env)
  const sql = openSql(t, env)
  await receiver.goDown()
  const sessionIds = [randomUUID(), randomUUID(), randomUUID()]
  const orders = new Map<string, string[]>()
  for (const sessionId of sessionIds)
    orders.set(sessionId, await changePasswords(t, env, sessionId, 4))
  const stolen = await stealASession(app)
  await until(
    async () => (await sql`select 1 from webhook_deliveries where attempts > 1`).length > 0,
  )
  assert.equal((await refresh(app, (await signUp(app)).refreshToken)).statusCode, 200)

  await receiver.comeBack()
  await until(async () => (await pending(sql)) === 0)
  assert.equal(new Set(ids(receiver.accepted)).size, 13)
  assert.deepEqual(sessionsOf(receiver.accepted), new Set([...sessionIds, stolen]))
  for (const [sessionId, order] of orders) {
    const arrived = ids(receiver.accepted.filter(({ event }) => event.sessionId === sessionId))
    assert.deepEqual(arrived, order)
  }
  await until(async () =>
    (await app.inject('/metrics')).body.includes(
      'pawl_webhook_attempts_total{outcome="delivered"} 13',
    ),
  )
})

for (const answer of [500, 302, 410, 'hang'] as const) {
  test(`a session whose events are answered with ${answer} waits, in order, and keeps no other waiting`, async (t) => {
    const receiver = await startReceiver(t)
    const env = await webhookEnvironment(t, receiver)
    const sick = randomUUID()
    receiver.replyTo = ({ event }) => (event.sessionId === sick ? answer : 204)
    const app = await build(t, env)
    const order = await changePasswords(t, env, sick, 3)
    await until(() => receiver.requests.length > 0)
    const sql = openSql(t, env)
    const others = await Promise.all(Array.from({ length: 20 }, () => stealASession(app)))
    await until(async () => (await pending(sql)) === 3)
    assert.deepEqual(sessionsOf(receiver.accepted), new Set(others))
    // Nothing but the first was tried.
    assert.deepEqual(
      new Set(ids(receiver.requests.filter(({ event }) => event.sessionId === sick))),
      new Set([order[0]]),
    )

    // Nobody followed the redirect.
    assert.deepEqual(new Set(receiver.requests.map(({ path }) => path)), new Set(['/hook']))

    receiver.replyTo = () => 204
    receiver.accepted.length = 0
    await until(async () => (await pending(sql)) === 0)
    assert.deepEqual(ids(receiver.accepted), order)
  })
}

test('while the receiver leaves every call open, requests are answered', async (t) => {
  const receiver = await startReceiver(t)
  receiver.replyTo = () => 'hang'
  const env = await webhookEnvironment(t, receiver)
  const app = await build(t, env)
  for (let count = 0; count < 20; count++) await stealASession(app)
  await until(() => receiver.requests.length === 16)
  const { email, refreshToken } = await signUp(app)
  assert.equal((await refresh(app, refreshToken)).statusCode, 200)
  assert.equal((await logIn(app, email)).statusCode, 200)
  assert.equal(await pending(openSql(t, env)), 20)
})

async function steal(url: string): Promise<string> {
  const refreshAt = async ({ refreshToken }: TokenPair) =>
    pairOf(await post(url, '/auth/refresh', { refreshToken }, { 'idempotency-key': newRetryKey() }))
  const first = await signUpAt(url)
  await refreshAt(await refreshAt(first))
  const theft = await post(url, '/auth/refresh', { refreshToken: first.refreshToken })
  assert.equal(theft.status, 401)
  return first.sessionId
}

test('what a process that is killed has committed and not delivered, another one delivers', async (t) => {
  const receiver = await startReceiver(t)
  receiver.replyTo = () => 'hang'
  const env = await webhookEnvironment(t, receiver)
  const first = await startServer(t, env)
  const stolen = [await steal(first.url), await steal(first.url)]
  // Claimed, sent, and never answered.
  await until(() => receiver.requests.length > 0)
  stolen.push(await steal(first.url))
  first.child.kill('SIGKILL')
  await first.ended

  receiver.replyTo = () => 204
  const sql = openSql(t, env)
  const second = await startServer(t, env)
  await until(async () => (await pending(sql)) === 0)
  assert.deepEqual(sessionsOf(receiver.accepted), new Set(stolen))
  assert.equal(receiver.accepted.length, 3)
  assert.ok(!second.output().includes(env.WEBHOOK_SECRET ?? ''))
})

test('a process that is told to stop gives back what it had claimed', async (t) => {
  const receiver = await startReceiver(t)
  receiver.replyTo = () => 'hang'
  const env = await webhookEnvironment(t, receiver)
  const first = await build(t, env)
  await stealASession(first)
  await until(() => receiver.requests.length > 0)
  await first.close()
  const [row] = await openSql(
    t,
    env,
  )`select due_at <= now() as due, dead_at from webhook_deliveries`
  assert.deepEqual({ ...row }, { due: true, dead_at: null })
})

test('nodes share the work: every event is delivered once', async (t) => {
  const receiver = await startReceiver(t)
  const env = await webhookEnvironment(t, receiver)
  await receiver.goDown()
  const nodes: FastifyInstance[] = []
  for (let count = 0; count < 3; count++) nodes.push(await build(t, env))
  const sql = openSql(t, env)
  const sessionIds = Array.from({ length: 10 }, () => randomUUID())
  const orders = await Promise.all(sessionIds.map((id) => changePasswords(t, env, id, 5)))
  await receiver.comeBack()
  await until(async () => (await pending(sql)) === 0)
  assert.equal(receiver.accepted.length, 50)
  for (const [index, sessionId] of sessionIds.entries()) {
    const arrived = ids(receiver.accepted.filter(({ event }) => event.sessionId === sessionId))
    assert.deepEqual(arrived, orders[index])
  }
})

test('what the webhook does not take for too long is kept as dead, and its session goes on', async (t) => {
  const receiver = await startReceiver(t)
  const env = await webhookEnvironment(t, receiver, { WEBHOOK_RETRY_FOR: '1s' })
  const sessionId = randomUUID()
  const [first, second] = await changePasswords(t, env, sessionId, 2)
  receiver.replyTo = ({ event }) => (event.id === first ? 500 : 204)
  const app = await build(t, env)
  const sql = openSql(t, env)
  await until(() => receiver.accepted.length > 0)
  assert.deepEqual(ids(receiver.accepted), [second])
  const dead =
    await sql`select event_id, attempts, last_error from webhook_deliveries where dead_at is not null`
  assert.deepEqual(
    dead.map((row) => [row.event_id, row.last_error]),
    [[first, 'status 500']],
  )
  assert.ok(dead[0]?.attempts > 1)
  const metrics = (await app.inject('/metrics')).body
  assert.ok(metrics.includes('pawl_webhook_attempts_total{outcome="dead"} 1'), metrics)
})

test('events are told also by the embedded default', async (t) => {
  const receiver = await startReceiver(t)
  const folder = await mkdtemp(join(tmpdir(), 'pawl-webhook-'))
  cleanUp(t, () => rm(folder, { recursive: true, force: true }))
  const server = await startServer(t, {
    PAWL_DATA_DIR: `${folder}/data`,
    PORT: '0',
    GRACE: '0s',
    WEBHOOK_URL: receiver.url,
    WEBHOOK_SECRET: newSecret(),
  })
  const stolen = await steal(server.url)
  await until(() => receiver.accepted.length > 0)
  assert.deepEqual(sessionsOf(receiver.accepted), new Set([stolen]))
  for (const trouble of ['webhook_broken', 'retention_failed', 'events_waiting'])
    assert.ok(!server.output().includes(trouble), server.output())
})
