import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { openPostgres } from '../../src/db/postgres.ts'
import type { NewEvent } from '../../src/events/event.ts'
import { createEventRecords, toRow } from '../../src/events/event-records.ts'
import { cleanUp } from '../support/clean-up.ts'
import { openSql } from '../support/database.ts'
import { type Env, environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { until } from '../support/until.ts'
import { newWebhookSecret, startReceiver } from '../support/webhook/receiver.ts'

const DAY = 86_400_000

interface OldEvents {
  type: 'refresh' | 'roles_changed'
  count: number
  /** The age of the events, in days. */
  days: number
}

async function insertOld(t: TestContext, env: Env, { type, count, days }: OldEvents) {
  const database = await openPostgres(env.DATABASE_URL ?? '')
  cleanUp(t, () => database.close())
  const records = createEventRecords(database)
  const event: NewEvent =
    type === 'refresh'
      ? { type, detail: { outcome: 'rotated', generation: 2 } }
      : { type, sessionId: randomUUID(), detail: { from: [], to: ['admin'] } }
  const at = Date.now() - days * DAY
  await records.insert(Array.from({ length: count }, () => toRow({ ...event, at })))
}

test('events older than EVENT_RETENTION are deleted, and no others', async (t) => {
  const env = await environment(t, { EVENT_RETENTION: '30d' })
  await insertOld(t, env, { type: 'refresh', count: 2_500, days: 31 })
  await insertOld(t, env, { type: 'refresh', count: 300, days: 29 })
  await build(t, env)
  const sql = openSql(t, env)
  const left = async () => (await sql`select 1 from security_events`).length
  await until(async () => (await left()) <= 300)
  assert.equal(await left(), 300)
})

test('an old undelivered event stays, unless there is no webhook', async (t) => {
  const receiver = await startReceiver(t)
  receiver.replyTo = () => 500
  const WEBHOOK_URL = receiver.url
  const WEBHOOK_SECRET = newWebhookSecret()
  const env = await environment(t, { EVENT_RETENTION: '30d' })
  await insertOld(t, env, { type: 'refresh', count: 1, days: 31 })
  await insertOld(t, env, { type: 'roles_changed', count: 1, days: 31 })
  const sql = openSql(t, env)
  await sql`update webhook_deliveries set created_at = now() - interval '31 days'`
  const types = async () => (await sql`select type from security_events`).map(({ type }) => type)

  const delivering = await build(t, { ...env, WEBHOOK_URL, WEBHOOK_SECRET })
  await until(async () => receiver.requests.length > 0 && (await types()).length === 1)
  assert.deepEqual(await types(), ['roles_changed'])
  await delivering.close()

  await build(t, env)
  await until(async () => (await types()).length === 0)
  assert.equal((await sql`select 1 from webhook_deliveries`).length, 0)
})
