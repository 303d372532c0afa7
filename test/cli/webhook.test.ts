import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { runCli } from '../support/cli-process.ts'
import { openSql } from '../support/database.ts'
import { databaseEnvironment, type Env, environment } from '../support/environment.ts'
import { changePasswords } from '../support/events/scenarios.ts'
import { startServer } from '../support/server-process.ts'
import { until } from '../support/until.ts'
import { newWebhookSecret, startReceiver } from '../support/webhook/receiver.ts'

/** Starts a receiver, and returns the environment of a server that calls it. */
async function setUp(t: TestContext, retryFor: string) {
  const receiver = await startReceiver(t)
  const webhook = { WEBHOOK_URL: receiver.url, WEBHOOK_SECRET: newWebhookSecret() }
  const env = await environment(t, { ...webhook, WEBHOOK_RETRY_FOR: retryFor })
  const sql = openSql(t, env)
  return {
    ...{ receiver, env, sql, ...commands(env) },
    dead: async () =>
      (
        await sql`select event_id from webhook_deliveries where dead_at is not null order by seq`
      ).map((row) => row.event_id as string),
    tried: () => receiver.requests.map(({ event }) => event.id),
    taken: () => receiver.accepted.map(({ event }) => event.id),
  }
}

function commands({ DATABASE_URL = '' }: Env) {
  const pawl = (line: string) => runCli(line.split(' '), { DATABASE_URL })
  return {
    pawl,
    list: async (options = '') =>
      JSON.parse((await pawl(`webhook list --json ${options}`.trim())).stdout),
  }
}

test('A running server sends retried deliveries in the order of their session', async (t) => {
  const { receiver, env, sql, pawl, list, dead, tried, taken } = await setUp(t, '1s')
  const [sick, other] = [randomUUID(), randomUUID()]
  const order = await changePasswords(t, env, sick, 3)
  const [late = ''] = await changePasswords(t, env, other, 1)
  receiver.replyTo = () => 500
  await startServer(t, env)
  await until(async () => (await dead()).length === 4)
  const { deliveries } = await list()
  assert.deepEqual(
    deliveries.map(
      ({ eventId, sessionId, state, lastError, nextAttemptAt }: Record<string, string>) => [
        ...[eventId, sessionId, state, lastError, nextAttemptAt],
      ],
    ),
    [
      ...order.map((id) => [id, sick, 'dead', 'status 500', null]),
      [late, other, 'dead', 'status 500', null],
    ],
  )
  assert.ok(deliveries.every(({ attempts }: { attempts: number }) => attempts > 0))

  // One by its number, while the receiver still fails. It is dead again afterwards.
  receiver.requests.length = 0
  const one = await pawl(`webhook retry ${deliveries[3].no} --yes`)
  assert.equal(
    one.stdout,
    '1 delivery will be sent again, within seconds if a server with a webhook runs.\n',
    one.stderr,
  )
  await until(() => tried().includes(late))
  await until(async () => (await dead()).length === 4)
  assert.deepEqual([...new Set(tried())], [late])

  receiver.replyTo = () => 204
  // By the ids of their events, in any order. The others stay dead.
  const some = await pawl(`webhook retry ${order[2]} ${order[0]} --yes --json`)
  assert.deepEqual(JSON.parse(some.stdout), { retried: [order[0], order[2]] })
  await until(() => taken().length === 2)
  assert.deepEqual(taken(), [order[0], order[2]])
  await until(async () => (await sql`select 1 from webhook_deliveries`).length === 2)
  assert.deepEqual(await dead(), [order[1], late])

  assert.match((await pawl('webhook retry --all --yes')).stdout, /^2 deliveries will be sent again/)
  await until(async () => (await sql`select 1 from webhook_deliveries`).length === 0)
  assert.deepEqual(new Set(taken()), new Set([...order, late]))
  assert.equal((await pawl('webhook list')).stdout, 'There are no such deliveries.\n')
  assert.equal((await pawl('webhook retry --all')).stdout, 'No delivery is dead.\n')
})

test('A retried delivery precedes newer ones and is retried as long as a new one', async (t) => {
  const { receiver, env, sql, pawl, dead, taken } = await setUp(t, '1h')
  const order = await changePasswords(t, env, randomUUID(), 3)
  await sql`
    update webhook_deliveries
    set attempts = 9, first_tried_at = now() - interval '2 days', dead_at = now()
    where event_id = any(${order.slice(0, 2)})`
  assert.equal((await pawl('webhook retry --all --yes')).code, 0)
  // The first attempt was two days ago. Counted from then, this failure would be the last one.
  receiver.replyTo = ({ event }) =>
    event.id === order[0] && receiver.requests.length < 2 ? 500 : 204
  await sql`update webhook_deliveries set attempts = 0`
  await startServer(t, env)
  await until(() => taken().length === 3)
  assert.deepEqual(taken(), order)
  assert.deepEqual(await dead(), [])
})

/** Creates deliveries in every state, without a server. */
async function inEveryState(t: TestContext) {
  const env = await databaseEnvironment(t)
  const sql = openSql(t, env)
  const [first = '', second = ''] = await changePasswords(t, env, randomUUID(), 2)
  const [third = ''] = await changePasswords(t, env, randomUUID(), 1)
  const [fourth = ''] = await changePasswords(t, env, randomUUID(), 1)
  await sql`
    update webhook_deliveries
    set attempts = 7, due_at = now() + interval '200 s', last_error = 'ECONNREFUSED'
    where event_id = ${first}`
  await sql`
    update webhook_deliveries set attempts = 40, dead_at = now(), last_error = 'no answer in time'
    where event_id = ${fourth}`
  return { env, sql, ids: [first, second, third, fourth], ...commands(env) }
}

test('The list shows waiting, retried and dead deliveries, and pages', async (t) => {
  const { ids, pawl, list } = await inEveryState(t)
  const [table, dead, page, rest] = await Promise.all([
    pawl('webhook list'),
    list('--dead'),
    list('--limit 2'),
    list('--after 2'),
  ])
  const lines = table.stdout.trimEnd().split('\n')
  assert.match(lines[0] ?? '', /^NO +EVENT +STATE +ATTEMPTS +LAST ERROR +NEXT ATTEMPT$/)
  assert.match(lines[1] ?? '', /^1 +password_changed +trying +7 +ECONNREFUSED +in \d+ s$/)
  assert.match(lines[2] ?? '', /^2 +password_changed +waiting +0 +- +in its turn$/)
  assert.match(lines[3] ?? '', /^3 +password_changed +waiting +0 +- +now$/)
  assert.match(lines[4] ?? '', /^4 +password_changed +dead +40 +no answer in time +-$/)
  assert.equal(lines.length, 5)
  for (const line of lines) assert.ok(line.length <= 80, line)

  const eventIds = (answer: { deliveries: { eventId: string }[] }) =>
    answer.deliveries.map(({ eventId }) => eventId)
  assert.deepEqual(eventIds(dead), ids.slice(3))
  assert.deepEqual([eventIds(page), page.after], [ids.slice(0, 2), 2])
  assert.deepEqual([eventIds(rest), rest.after], [ids.slice(2), undefined])
})

test('Nothing is retried unconfirmed, or if one name is wrong or not dead', async (t) => {
  const { ids, pawl, sql } = await inEveryState(t)
  const rows = () => sql`select * from webhook_deliveries order by seq`
  const before = [...(await rows())]
  const expected = {
    'webhook retry --all':
      /^1 delivery will be sent again.+\nNothing was done\. To skip .+, add --yes\.\n$/,
    [`webhook retry ${ids[3]}`]: /add --yes/,
    [`webhook retry 4 ${ids[0]} --yes`]:
      /is not dead: it is still being tried\. Nothing was done\.\n$/,
    'webhook retry 4 9 --yes':
      /^There is no delivery 9\. Perhaps it has arrived\. Nothing was done\.\n$/,
    [`webhook retry 4 ${randomUUID()} --yes`]: /^There is no delivery /,
  }
  await Promise.all(
    Object.entries(expected).map(async ([line, text]) => {
      const { code, stdout, stderr } = await pawl(line)
      assert.deepEqual([code, stdout], [1, ''], line)
      assert.match(stderr, text)
    }),
  )
  assert.deepEqual([...(await rows())], before)
})
