import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import type { Sql } from 'postgres'
import type { TokenPair } from '../../src/schemas/token-pair.ts'
import { logIn, refresh, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { newRetryKey } from '../support/credentials.ts'
import { openSql } from '../support/database.ts'
import { changePasswords, stealSession } from '../support/events/scenarios.ts'
import { build } from '../support/in-process-server.ts'
import { startServer } from '../support/server-process.ts'
import { pairOf, post, signUpAt } from '../support/server-requests.ts'
import { until } from '../support/until.ts'
import {
  newWebhookSecret,
  type ReceivedRequest,
  startReceiver,
  webhookEnvironment,
} from '../support/webhook/receiver.ts'

/** Returns the number of deliveries that are still to be made. */
async function pending(sql: Sql): Promise<number> {
  const [row] = await sql`select count(*)::int from webhook_deliveries where dead_at is null`
  return row?.count
}

const ids = (requests: ReceivedRequest[]) => requests.map(({ event }) => event.id)
const sessionsOf = (requests: ReceivedRequest[]) =>
  new Set(requests.map(({ event }) => event.sessionId))

test('a receiver that was down gets every event, in order within each session', async (t) => {
  const receiver = await startReceiver(t)
  const env = await webhookEnvironment(t, receiver)
  const app = await build(t, env)
  const sql = openSql(t, env)
  await receiver.goDown()
  const sessionIds = [randomUUID(), randomUUID(), randomUUID()]
  const orders = new Map<string, string[]>()
  for (const sessionId of sessionIds)
    orders.set(sessionId, await changePasswords(t, env, sessionId, 4))
  const stolen = await stealSession(app)
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
      // The two sign-ups were delivered as well.
      'pawl_webhook_attempts_total{outcome="delivered"} 15',
    ),
  )
})

for (const reply of [500, 302, 410, 'hang'] as const) {
  test(`a response of ${reply} holds up its own session and no other`, async (t) => {
    const receiver = await startReceiver(t)
    const env = await webhookEnvironment(t, receiver)
    const failing = randomUUID()
    receiver.replyTo = ({ event }) => (event.sessionId === failing ? reply : 204)
    const app = await build(t, env)
    const order = await changePasswords(t, env, failing, 3)
    await until(() => receiver.requests.length > 0)
    const sql = openSql(t, env)
    const others = await Promise.all(Array.from({ length: 20 }, () => stealSession(app)))
    await until(async () => (await pending(sql)) === 3)
    assert.deepEqual(sessionsOf(receiver.accepted), new Set(others))
    // Only the first event of the session was tried.
    assert.deepEqual(
      new Set(ids(receiver.requests.filter(({ event }) => event.sessionId === failing))),
      new Set([order[0]]),
    )

    // The redirect was not followed.
    assert.deepEqual(new Set(receiver.requests.map(({ path }) => path)), new Set(['/hook']))

    receiver.replyTo = () => 204
    receiver.accepted.length = 0
    await until(async () => (await pending(sql)) === 0)
    assert.deepEqual(ids(receiver.accepted), order)
  })
}

test('a receiver that never responds does not delay requests to Pawl', async (t) => {
  const receiver = await startReceiver(t)
  receiver.replyTo = () => 'hang'
  const env = await webhookEnvironment(t, receiver)
  const app = await build(t, env)
  for (let count = 0; count < 20; count++) await stealSession(app)
  await until(() => receiver.requests.length === 16)
  const { email, refreshToken } = await signUp(app)
  assert.equal((await refresh(app, refreshToken)).statusCode, 200)
  assert.equal((await logIn(app, email)).statusCode, 200)
  const [row] = await openSql(t, env)`
    select count(*)::int from webhook_deliveries join security_events on id = event_id
    where type = 'reuse_found'`
  assert.equal(row?.count, 20)
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

test('another process delivers the events that a killed process had not', async (t) => {
  const receiver = await startReceiver(t)
  receiver.replyTo = () => 'hang'
  const env = await webhookEnvironment(t, receiver)
  const first = await startServer(t, env)
  const stolen = [await steal(first.url), await steal(first.url)]
  // The delivery was claimed and sent, and never gets a response.
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

test('a process that stops releases the deliveries that it had claimed', async (t) => {
  const receiver = await startReceiver(t)
  receiver.replyTo = () => 'hang'
  const env = await webhookEnvironment(t, receiver)
  const first = await build(t, env)
  await stealSession(first)
  await until(() => receiver.requests.length > 0)
  await first.close()
  const [row] = await openSql(
    t,
    env,
  )`select due_at <= now() as due, dead_at from webhook_deliveries`
  assert.deepEqual({ ...row }, { due: true, dead_at: null })
})

test('several nodes deliver every event once', async (t) => {
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

test('an event that fails for WEBHOOK_RETRY_FOR is dead, and the next one is sent', async (t) => {
  const receiver = await startReceiver(t)
  const env = await webhookEnvironment(t, receiver, { WEBHOOK_RETRY_FOR: '1s' })
  const sessionId = randomUUID()
  const [first, second] = await changePasswords(t, env, sessionId, 2)
  receiver.replyTo = ({ event }) => (event.id === first ? 500 : 204)
  const app = await build(t, env)
  const sql = openSql(t, env)
  await until(() => receiver.accepted.length > 0)
  assert.deepEqual(ids(receiver.accepted), [second])
  const dead = await sql`
    select event_id, attempts, last_error from webhook_deliveries where dead_at is not null`
  assert.deepEqual(
    dead.map((row) => [row.event_id, row.last_error]),
    [[first, 'status 500']],
  )
  assert.ok(dead[0]?.attempts > 1)
  const metrics = (await app.inject('/metrics')).body
  assert.ok(metrics.includes('pawl_webhook_attempts_total{outcome="dead"} 1'), metrics)
})

test('the embedded default delivers events as well', async (t) => {
  const receiver = await startReceiver(t)
  const folder = await mkdtemp(join(tmpdir(), 'pawl-webhook-'))
  cleanUp(t, () => rm(folder, { recursive: true, force: true }))
  const server = await startServer(t, {
    PAWL_DATA_DIR: `${folder}/data`,
    PORT: '0',
    GRACE: '0s',
    WEBHOOK_URL: receiver.url,
    WEBHOOK_SECRET: newWebhookSecret(),
  })
  const stolen = await steal(server.url)
  await until(() => receiver.accepted.length > 0)
  assert.deepEqual(sessionsOf(receiver.accepted), new Set([stolen]))
  for (const problem of ['webhook_broken', 'retention_failed', 'events_waiting'])
    assert.ok(!server.output().includes(problem), server.output())
})
