import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { FastifyInstance } from 'fastify'
import { WebhookVerificationError } from 'standardwebhooks'
import { cleanUp } from '../support/clean-up.ts'
import { openSql } from '../support/database.ts'
import type { Env } from '../support/environment.ts'
import { stealSession } from '../support/events/scenarios.ts'
import { build } from '../support/in-process-server.ts'
import { until } from '../support/until.ts'
import {
  newWebhookSecret,
  type ReceivedRequest,
  startReceiver,
  verify,
  webhookEnvironment,
} from '../support/webhook/receiver.ts'

/** Lets a session be stolen, and returns the request that the webhook receives. */
async function receiveTheft(t: TestContext, overrides: Env = {}) {
  const receiver = await startReceiver(t)
  const env = await webhookEnvironment(t, receiver, {
    WEBHOOK_URL: receiver.url.replace('://', '://pawl:p%40ss@'),
    ...overrides,
  })
  const app = await build(t, env)
  const sql = openSql(t, env)
  const sessionId = await stealSession(app)
  await until(() => receiver.accepted.length > 0)
  await until(async () => (await sql`select 1 from webhook_deliveries`).length === 0)
  assert.equal(receiver.requests.length, 1)
  const [request = assert.fail()] = receiver.requests
  const [row] = await sql`select id, user_id from security_events where type = 'reuse_found'`
  return { request, sessionId, row }
}

function assertRefused(secret: string, request: ReceivedRequest, why: RegExp): void {
  assert.throws(
    () => verify(secret, request),
    (error) => error instanceof WebhookVerificationError && why.test(error.message),
  )
}

const withHeader = (request: ReceivedRequest, name: string, value: string): ReceivedRequest => ({
  ...request,
  headers: { ...request.headers, [name]: value },
})

test('the webhook receives a theft as one event with the standard headers', async (t) => {
  const { request, sessionId, row } = await receiveTheft(t)
  const { at, ip, userAgent, detail, ...rest } = request.event as Record<string, unknown>
  assert.deepEqual(rest, { id: row?.id, type: 'reuse_found', userId: row?.user_id, sessionId })
  assert.deepEqual([ip, userAgent], ['127.0.0.1', 'thief'])
  assert.ok(Math.abs(Date.parse(String(at)) - Date.now()) < 60_000)
  assert.equal((detail as Record<string, unknown>).presentedGeneration, 1)

  const { headers } = request
  assert.equal(headers['content-type'], 'application/json')
  assert.equal(headers.authorization, `Basic ${Buffer.from('pawl:p@ss').toString('base64')}`)
  assert.equal(headers['webhook-id'], row?.id)
  assert.ok(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1_000) < 60)
  assert.deepEqual(
    Object.keys(headers).filter((name) => name.startsWith('pawl-')),
    [],
  )
})

test('during a rotation the library accepts the new secret and the old one', async (t) => {
  const [newer, older] = [newWebhookSecret(), newWebhookSecret()]
  const { request } = await receiveTheft(t, { WEBHOOK_SECRET: `${newer},${older}` })
  const signatures = String(request.headers['webhook-signature']).split(' ')
  assert.equal(signatures.length, 2)
  for (const signature of signatures) assert.match(signature, /^v1,[A-Za-z0-9+/]{43}=$/)
  for (const secret of [newer, older]) assert.deepEqual(verify(secret, request), request.event)
  assertRefused(newWebhookSecret(), request, /No matching signature/)
})

test('the library refuses a request whose body, id or time was changed', async (t) => {
  const secret = newWebhookSecret()
  const { request } = await receiveTheft(t, { WEBHOOK_SECRET: secret })
  const now = Number(request.headers['webhook-timestamp'])
  const changed = { ...request, text: request.text.replace('thief', 'nobody') }
  assert.notEqual(changed.text, request.text)
  assertRefused(secret, changed, /No matching signature/)
  const otherId = withHeader(request, 'webhook-id', '019a3b5e-0000-7000-8000-000000000000')
  assertRefused(secret, otherId, /No matching signature/)
  const later = withHeader(request, 'webhook-timestamp', String(now + 1))
  assertRefused(secret, later, /No matching signature/)
  const old = withHeader(request, 'webhook-timestamp', String(now - 400))
  assertRefused(secret, old, /too old/)
})

/** Runs the receiver that the guide shows. */
async function startGuideExample(t: TestContext, secret: string): Promise<FastifyInstance> {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const guide = await readFile(join(root, 'docs/guides/events.md'), 'utf8')
  const [, code = ''] = /```ts\n([\s\S]*?)```/.exec(guide) ?? []
  // Inside the checkout, so that the example finds the packages that it imports.
  const folder = await mkdtemp(join(root, 'node_modules/.guide-'))
  cleanUp(t, () => rm(folder, { recursive: true }))
  const file = join(folder, 'receiver.mts')
  await writeFile(file, code)
  process.env.WEBHOOK_SECRET = secret
  cleanUp(t, async () => {
    delete process.env.WEBHOOK_SECRET
  })
  const { app } = await import(pathToFileURL(file).href)
  cleanUp(t, () => app.close())
  return app
}

test('the receiver of the guide accepts an event, and refuses one that was changed', async (t) => {
  const secret = newWebhookSecret()
  const { request } = await receiveTheft(t, { WEBHOOK_SECRET: secret })
  const { 'content-length': _, ...headers } = request.headers
  const app = await startGuideExample(t, secret)
  const log = t.mock.method(console, 'log', () => {})
  const send = (payload: string) =>
    app.inject({ method: 'POST', url: '/pawl-events', headers, payload })
  assert.equal((await send(request.text)).statusCode, 204)
  assert.deepEqual(log.mock.calls.at(-1)?.arguments[1], request.event)
  assert.equal((await send(`${request.text} `)).statusCode, 401)
  assert.equal(log.mock.callCount(), 1)
})
