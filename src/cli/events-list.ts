import { between, inArray } from 'drizzle-orm'
import { validate } from 'uuid'
import { loadDatabaseConfig } from '../config/config.ts'
import type { Database } from '../db/database.ts'
import { securityEvents, users } from '../db/schema.ts'
import type { EventType, RecordedEvent } from '../events/event.ts'
import { readEventPage } from '../events/event-page.ts'
import { createEventRecords } from '../events/event-records.ts'
import { createUserRecords } from '../users/user-records.ts'
import { withDatabase } from './database.ts'
import { findUser } from './lookup.ts'
import { timeOf } from './record.ts'
import { idsThatBeginWith } from './session-prefix.ts'
import { formatTable, formatTime, SHOWN_OF_SESSION } from './table.ts'
import type { Terminal } from './terminal.ts'

/** Milliseconds since the epoch, given the present. */
export type Time = (now: number) => number

export interface ListOptions {
  user?: string
  session?: string
  type?: EventType
  since?: Time
  until?: Time
  limit: number
  after?: string
  json?: true
}

/** What is on record, as `GET /admin/events` answers it; in the table by address, for people. */
export async function listEvents(terminal: Terminal, options: ListOptions): Promise<void> {
  await withDatabase(loadDatabaseConfig(terminal.env), async (database) => {
    const { events, next } = await read(database, options)
    if (options.json) {
      terminal.stdout.write(`${JSON.stringify({ events, ...(next && { after: next }) })}\n`)
      return
    }
    const table = options.user
      ? tableOfUser(events)
      : tableOfAll(events, await emailsOf(database, events))
    terminal.stdout.write(events.length > 0 ? table : 'There are no such events.\n')
    if (next) terminal.stderr.write(`There are more: add --after ${next}\n`)
  })
}

async function read(
  database: Database,
  { user, session, type, since, until, limit, after }: ListOptions,
) {
  const now = await timeOf(database.orm)
  return readEventPage(createEventRecords(database), {
    limit,
    ...(user && { userId: await userIdOf(database, user) }),
    ...(session && { sessionId: await sessionIdOf(database, session) }),
    ...(type && { type }),
    ...(since && { from: since(now) }),
    ...(until && { to: until(now) }),
    ...(after && { cursor: after }),
  })
}

/** An id is taken as it is: what happened to who is deleted is still on record. */
async function userIdOf(database: Database, user: string): Promise<string> {
  return validate(user) ? user : (await findUser(createUserRecords(database), user)).id
}

/** Of what is on record, alive or not. */
async function sessionIdOf({ orm, query }: Database, prefix: string): Promise<string> {
  if (validate(prefix)) return prefix
  const { sessionId } = securityEvents
  const found = await query(
    orm
      .selectDistinct({ sessionId })
      .from(securityEvents)
      .where(between(sessionId, ...idsThatBeginWith(prefix)))
      .limit(2),
  )
  const [session] = found
  if (session?.sessionId && found.length === 1) return session.sessionId
  throw new Error(
    session
      ? `More than one session's id begins with ${prefix}.`
      : `No event is on record of a session whose id begins with ${prefix}.`,
  )
}

/** Of those who are not deleted. */
async function emailsOf({ orm, query }: Database, events: readonly RecordedEvent[]) {
  const ids = [...new Set(events.flatMap(({ userId }) => userId ?? []))]
  const { id, email } = users
  const found =
    ids.length > 0 ? await query(orm.select({ id, email }).from(users).where(inArray(id, ids))) : []
  return new Map(found.map((user) => [user.id, user.email]))
}

function tableOfAll(events: readonly RecordedEvent[], emails: ReadonlyMap<string, string>): string {
  const rows = events.map((event) => {
    const { userId = '-', ip = '-' } = event
    return [formatTime(Date.parse(event.at)), summaryOf(event), emails.get(userId) ?? userId, ip]
  })
  return formatTable(['TIME', 'EVENT', 'USER', 'ADDRESS'], rows)
}

function tableOfUser(events: readonly RecordedEvent[]): string {
  const rows = events.map((event) => {
    const { sessionId = '-', ip = '-' } = event
    return [
      formatTime(Date.parse(event.at)),
      summaryOf(event),
      sessionId.slice(0, SHOWN_OF_SESSION),
      ip,
    ]
  })
  return formatTable(['TIME', 'EVENT', 'SESSION', 'ADDRESS'], rows)
}

/** The type, and in a word what kind of it: which, of the details, there is one of at most. */
function summaryOf({ type, detail }: RecordedEvent): string {
  const { reason, action, outcome, purpose, to } = detail
  const kind = reason ?? action ?? outcome ?? purpose ?? to
  return kind === undefined
    ? type
    : `${type} ${Array.isArray(kind) ? kind.join(',') : kind}`.trimEnd()
}
