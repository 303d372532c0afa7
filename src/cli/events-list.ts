import { Value } from '@sinclair/typebox/value'
import { between, inArray } from 'drizzle-orm'
import { validate } from 'uuid'
import { loadDatabaseConfig } from '../config/config.ts'
import type { Database } from '../db/database.ts'
import { securityEvents, users } from '../db/schema.ts'
import type { EventType, RecordedEvent } from '../events/event.ts'
import { readEventPage } from '../events/event-page.ts'
import { createEventRecords } from '../events/event-records.ts'
import { Email } from '../schemas/credentials.ts'
import { createUserRecords } from '../users/user-records.ts'
import { idRange } from './arguments.ts'
import { postgresTime, withDatabase } from './database.ts'
import { findUser, onlyOne } from './lookup.ts'
import { formatTime, printJson, printTable, SHOWN_OF_SESSION } from './table.ts'
import type { Terminal } from './terminal.ts'

/** Returns milliseconds since 1970, given the present in the same unit. */
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

/** Prints events: as JSON like `GET /admin/events`, or as a table with e-mail addresses. */
export async function listEvents(terminal: Terminal, options: ListOptions): Promise<void> {
  await withDatabase(loadDatabaseConfig(terminal.env), async (database) => {
    const { events, next } = await read(database, options)
    if (options.json) return printJson(terminal, { events, ...(next && { after: next }) })
    const columns = options.user
      ? columnsOfOneUser(events)
      : columnsOfAllUsers(events, await readEmails(database, events))
    printTable(terminal, { ...columns, none: 'There are no such events.', next })
  })
}

async function read(
  database: Database,
  { user, session, type, since, until, limit, after }: ListOptions,
) {
  const now = await postgresTime(database)
  return readEventPage(createEventRecords(database), {
    limit,
    ...(user && { userId: await findUserId(database, user) }),
    ...(session && { sessionId: await findSessionId(database, session) }),
    ...(type && { type }),
    ...(since && { from: since(now) }),
    ...(until && { to: until(now) }),
    ...(after && { cursor: after }),
  })
}

/** Returns the id of a deleted user as it is, because events outlive users. */
async function findUserId(database: Database, user: string): Promise<string> {
  const records = createUserRecords(database)
  if (!Value.Check(Email, user) && !(await records.findById(user))) return user
  return (await findUser(records, user)).id
}

/** Searches the events and not the sessions, because events outlive sessions. */
async function findSessionId({ orm, query }: Database, prefix: string): Promise<string> {
  if (validate(prefix)) return prefix
  const { sessionId } = securityEvents
  const found = await query(
    orm
      .selectDistinct({ sessionId })
      .from(securityEvents)
      .where(between(sessionId, ...idRange(prefix)))
      .limit(2),
  )
  const ids = found.flatMap((row) => row.sessionId ?? [])
  return onlyOne(ids, prefix, `No event is about a session whose id starts with ${prefix}.`)
}

/** Returns e-mail addresses by user id. Deleted users are missing. */
async function readEmails({ orm, query }: Database, events: readonly RecordedEvent[]) {
  const ids = [...new Set(events.flatMap(({ userId }) => userId ?? []))]
  const { id, email } = users
  const found =
    ids.length > 0 ? await query(orm.select({ id, email }).from(users).where(inArray(id, ids))) : []
  return new Map(found.map((user) => [user.id, user.email ?? user.id]))
}

function columnsOfAllUsers(events: readonly RecordedEvent[], emails: ReadonlyMap<string, string>) {
  const rows = events.map((event) => {
    const { at, userId = '-', ip = '-' } = event
    return [formatTime(Date.parse(at)), summarize(event), emails.get(userId) ?? userId, ip]
  })
  return { heading: ['TIME', 'EVENT', 'USER', 'ADDRESS'], rows }
}

function columnsOfOneUser(events: readonly RecordedEvent[]) {
  const rows = events.map((event) => {
    const { at, sessionId = '-', ip = '-' } = event
    const session = sessionId.slice(0, SHOWN_OF_SESSION)
    return [formatTime(Date.parse(at)), summarize(event), session, ip]
  })
  return { heading: ['TIME', 'EVENT', 'SESSION', 'ADDRESS'], rows }
}

/** Returns the type and the most telling detail. An event has at most one of these details. */
function summarize({ type, detail }: RecordedEvent): string {
  const { reason, action, outcome, purpose, to, route } = detail
  const kind = reason ?? action ?? outcome ?? purpose ?? to ?? route
  if (kind === undefined) return type
  return `${type} ${Array.isArray(kind) ? kind.join(',') : kind}`.trimEnd()
}
