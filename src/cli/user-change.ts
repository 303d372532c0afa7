import { eq } from 'drizzle-orm'
import { loadDatabaseConfig } from '../config/config.ts'
import type { Database } from '../db/database.ts'
import { userRevocations } from '../db/schema.ts'
import type { NewEvent } from '../events/event.ts'
import type { SessionEndReason } from '../sessions/session-records.ts'
import {
  type Changed,
  createUserChanges,
  type OnChange,
  type UserChanges,
} from '../users/user-change-records.ts'
import { createUserRecords, type User } from '../users/user-records.ts'
import { confirm } from './confirm.ts'
import { withDatabase } from './database.ts'
import { findUser } from './lookup.ts'
import { isPublished } from './publications.ts'
import { adminAction, record } from './record.ts'
import { report } from './report.ts'
import type { Terminal } from './terminal.ts'

export interface ChangeOptions {
  yes?: true
  json?: true
}

/** What came of it: the user as he is, and the sessions that ended, with the reason. */
export interface Made {
  user: Changed
  sessionIds: string[]
  reason?: SessionEndReason
}

/** Something to be done to one user. */
export interface Change {
  /** What it means, for the question; without it there is none. */
  consequence?: string
  /** What has become of him: "<user> …". */
  done(user: Changed): string
  /** Answers undefined where he is gone. */
  make(changes: UserChanges, user: User): Promise<Made | undefined>
}

export const DISABLE: Change = {
  consequence: 'cannot log in any more, and all his sessions end.',
  done: () => 'is disabled, and his sessions have ended.',
  make: async (changes, { id }) => {
    const change = { set: { status: 'disabled' }, end: { reason: 'user_disabled' } } as const
    const made = await changes.apply(
      id,
      change,
      recordOf(adminAction('user_disabled', { userId: id })),
    )
    return made && { ...made, reason: change.end.reason }
  },
}

export const ENABLE: Change = {
  done: () => 'is enabled: he can log in.',
  make: async (changes, user) => {
    const { id, status } = user
    if (status === 'active') return { user, sessionIds: [] }
    const change = { set: { status: 'active' } } as const
    return changes.apply(id, change, recordOf(adminAction('user_enabled', { userId: id })))
  },
}

export const DELETE: Change = {
  consequence: 'is deleted with all his sessions. This cannot be undone.',
  done: () => 'is deleted, and his sessions have ended.',
  make: async (changes, { id }) => {
    const made = await changes.remove(id, recordOf(adminAction('user_deleted', { userId: id })))
    return made && { ...made, reason: 'user_deleted' }
  },
}

export const END_SESSIONS: Change = {
  consequence: 'has to log in again on every device.',
  done: () => 'is logged out everywhere.',
  make: async (changes, { id }) => {
    const change = { end: { reason: 'ended_by_admin' } } as const
    const made = await changes.apply(
      id,
      change,
      recordOf(adminAction('sessions_ended', { userId: id })),
    )
    return made && { ...made, reason: change.end.reason }
  },
}

/** Ask, change, and wait until the servers know. */
export async function changeUser(
  terminal: Terminal,
  name: string,
  change: Change,
  options: ChangeOptions,
) {
  const config = loadDatabaseConfig(terminal.env)
  await withDatabase(config, async (database) => {
    const user = await findUser(createUserRecords(database), name)
    if (change.consequence && !options.yes)
      await confirm(terminal, `${user.email} ${change.consequence}`)
    const made = await change.make(createUserChanges(database), user)
    if (!made) throw new Error(`There is no user ${name} any more.`)
    const { id, email, roles, status } = made.user
    await recordEnded(database, made)
    const outcome = {
      done: `${email} ${change.done(made.user)}`,
      facts: { id, email, roles, status },
      isPublished: () => isUserPublished(database, id),
    }
    await report(terminal, config, outcome, options.json)
  })
}

/** Of each session that ended, as the servers put it on record. */
async function recordEnded(database: Database, { user, sessionIds, reason }: Made): Promise<void> {
  if (!reason || sessionIds.length === 0) return
  const ended = { type: 'session_ended', userId: user.id, detail: { reason } } as const
  await database.query(
    record(database.orm, ...sessionIds.map((sessionId) => ({ ...ended, sessionId }))),
  )
}

function recordOf(...events: NewEvent[]): OnChange {
  return (tx) => record(tx, ...events)
}

/** Whether every node knows of the last change. Where there never was one, there is nothing to know. */
async function isUserPublished(database: Database, id: string): Promise<boolean> {
  const { publishedAt, userId } = userRevocations
  const found = database.orm.select({ publishedAt }).from(userRevocations).where(eq(userId, id))
  return isPublished(database, found)
}
