import { eq } from 'drizzle-orm'
import { loadDatabaseConfig } from '../config.ts'
import type { Database } from '../db/database.ts'
import { userRevocations } from '../db/schema.ts'
import type { Occurrence } from '../events/event.ts'
import { type Changed, createUserChanges, type OnChange, type UserChanges } from '../users/user-changes.ts'
import { createUserRecords, type User } from '../users/user-records.ts'
import { confirm } from './confirm.ts'
import { withDatabase } from './database.ts'
import { findUser } from './find-user.ts'
import { isPublished } from './in-force.ts'
import { report } from './outcome.ts'
import { adminAction, record } from './record.ts'
import type { Terminal } from './terminal.ts'

export interface ChangeOptions {
  yes?: true
  json?: true
}

/** Something to be done to one user. */
export interface Change {
  /** What it means, for the question; without it there is none. */
  consequence?: string
  /** What has become of him: "<user> …". */
  done(user: Changed): string
  /** Answers undefined where he is gone. */
  make(changes: UserChanges, user: User): Promise<Changed | undefined>
}

export const DISABLE: Change = {
  consequence: 'cannot log in any more, and all his sessions end.',
  done: () => 'is disabled, and his sessions have ended.',
  make: async (changes, { id }) => {
    const change = { set: { status: 'disabled' }, end: { reason: 'user_disabled' } } as const
    return (await changes.apply(id, change, recordOf(adminAction('user_disabled', { userId: id }))))?.user
  },
}

export const ENABLE: Change = {
  done: () => 'is enabled: he can log in.',
  make: async (changes, user) => {
    const { id, status } = user
    if (status === 'active') return user
    const change = { set: { status: 'active' } } as const
    return (await changes.apply(id, change, recordOf(adminAction('user_enabled', { userId: id }))))?.user
  },
}

export const DELETE: Change = {
  consequence: 'is deleted with all his sessions. This cannot be undone.',
  done: () => 'is deleted, and his sessions have ended.',
  make: async (changes, { id }) =>
    (await changes.remove(id, recordOf(adminAction('user_deleted', { userId: id }))))?.user,
}

export const END_SESSIONS: Change = {
  consequence: 'has to log in again on every device.',
  done: () => 'is logged out everywhere.',
  make: async (changes, { id }) => {
    const change = { end: { reason: 'ended_by_admin' } } as const
    return (await changes.apply(id, change, recordOf(adminAction('sessions_ended', { userId: id }))))?.user
  },
}

/** Ask, change, and wait until the servers know. */
export async function changeUser(terminal: Terminal, name: string, change: Change, options: ChangeOptions) {
  const config = loadDatabaseConfig(terminal.env)
  await withDatabase(config, async (database) => {
    const user = await findUser(createUserRecords(database), name)
    if (change.consequence && !options.yes) await confirm(terminal, `${user.email} ${change.consequence}`)
    const changed = await change.make(createUserChanges(database), user)
    if (!changed) throw new Error(`There is no user ${name} any more.`)
    const { id, email, roles, status } = changed
    const outcome = {
      done: `${email} ${change.done(changed)}`,
      facts: { id, email, roles, status },
      isPublished: () => isUserPublished(database, id),
    }
    await report(terminal, config, outcome, options.json)
  })
}

function recordOf(...events: Occurrence[]): OnChange {
  return (tx) => record(tx, ...events)
}

/** Whether every node knows of the last change. Where there never was one, there is nothing to know. */
async function isUserPublished(database: Database, id: string): Promise<boolean> {
  const { publishedAt, userId } = userRevocations
  const found = database.orm.select({ publishedAt }).from(userRevocations).where(eq(userId, id))
  return isPublished(database, found)
}
