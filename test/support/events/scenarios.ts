import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import type { Sql } from 'postgres'
import { openPostgres } from '../../../src/db/postgres.ts'
import type { RecordedEvent } from '../../../src/events/event.ts'
import { insertEvents } from '../../../src/events/event-records.ts'
import { logIn, signUp } from '../app-requests.ts'
import { cleanUp } from '../clean-up.ts'
import { newRetryKey, PASSWORD } from '../credentials.ts'
import { openSql } from '../database.ts'
import type { Env } from '../environment.ts'
import { retryUnavailable } from '../retry-unavailable.ts'

/**
 * Refreshes a session twice and then presents its first token. Returns the id of the session, which
 * has ended.
 */
export async function stealSession(
  app: FastifyInstance,
  [login = 'login', honest = 'honest', thief = 'thief'] = [],
): Promise<string> {
  const post = (url: string, payload: object, userAgent: string, retryKey?: string) => {
    const headers = { 'user-agent': userAgent, ...(retryKey && { 'idempotency-key': retryKey }) }
    return retryUnavailable(() => app.inject({ method: 'POST', url, payload, headers }))
  }
  const { email } = await signUp(app)
  const first = (await post('/auth/login', { email, password: PASSWORD }, login)).json()
  const second = (
    await post('/auth/refresh', { refreshToken: first.refreshToken }, honest, newRetryKey())
  ).json()
  // From another device, since refreshes from one device may be merged into one event.
  await post(
    '/auth/refresh',
    { refreshToken: second.refreshToken },
    `${honest} again`,
    newRetryKey(),
  )
  const theft = await post('/auth/refresh', { refreshToken: first.refreshToken }, thief)
  assert.equal(theft.statusCode, 401)
  return first.sessionId
}

/** Returns the access token of a new administrator. */
export async function adminToken(app: FastifyInstance, sql: Sql): Promise<string> {
  const { email } = await signUp(app)
  await sql`update users set roles = '{admin}' where email = ${email}`
  return (await logIn(app, email)).json().accessToken
}

export function requestEvents(
  app: FastifyInstance,
  accessToken: string,
  query: Record<string, string> = {},
): Promise<LightMyRequestResponse> {
  const headers = { authorization: `Bearer ${accessToken}` }
  return retryUnavailable(() => app.inject({ url: '/admin/events', query, headers }))
}

/** Returns the events of all pages. */
export async function readEvents(
  app: FastifyInstance,
  accessToken: string,
  query: Record<string, string> = {},
): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  let cursor: string | undefined
  do {
    const response = await requestEvents(app, accessToken, { ...query, ...(cursor && { cursor }) })
    assert.equal(response.statusCode, 200, response.body)
    const page = response.json()
    events.push(...page.events)
    cursor = page.next
  } while (cursor)
  return events
}

/**
 * Records password changes of a session, as the service does. Returns the ids of the events.
 */
export async function changePasswords(
  t: TestContext,
  env: Env,
  sessionId: string,
  count: number,
): Promise<string[]> {
  const database = await openPostgres(env.DATABASE_URL ?? '')
  cleanUp(t, () => database.close())
  for (let inserted = 0; inserted < count; inserted++)
    await database.orm.transaction((tx) =>
      insertEvents(tx, { type: 'password_changed', at: Date.now(), sessionId, detail: {} }),
    )
  const rows = await openSql(t, env)`
    select event_id from webhook_deliveries join security_events on id = event_id
    where session_id = ${sessionId} and type = 'password_changed' order by seq`
  return rows.map((row) => row.event_id)
}
