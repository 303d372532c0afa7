import { between, eq } from 'drizzle-orm'
import { loadDatabaseConfig } from '../config/config.ts'
import type { Database } from '../db/database.ts'
import { sessions, users } from '../db/schema.ts'
import type { NewEvent } from '../events/event.ts'
import { createSessionRecords } from '../sessions/session-records.ts'
import { confirm } from './confirm.ts'
import { withDatabase } from './database.ts'
import { isPublished } from './publications.ts'
import { adminAction, record } from './record.ts'
import { report } from './report.ts'
import { idsThatBeginWith } from './session-prefix.ts'
import type { Terminal } from './terminal.ts'
import type { ChangeOptions } from './user-change.ts'

/** The session whose id begins so. Rejects where there is none, or more than one. */
export async function revokeSession(
  terminal: Terminal,
  prefix: string,
  options: ChangeOptions,
): Promise<void> {
  const config = loadDatabaseConfig(terminal.env)
  await withDatabase(config, async (database) => {
    const session = await find(database, prefix)
    const { id, userId, email } = session
    if (!session.revokedAt && !options.yes)
      await confirm(
        terminal,
        `The session ${id} of ${email} ends: that device has to log in again.`,
      )
    await revoke(database, id)
    const { publishedAt } = sessions
    const told = () =>
      database.orm.select({ publishedAt }).from(sessions).where(eq(sessions.id, id))
    const outcome = {
      done: `The session of ${email} has ended${session.revokedAt ? ' already' : ''}.`,
      facts: { id, userId, email },
      isPublished: () => isPublished(database, told()),
    }
    await report(terminal, config, outcome, options.json)
  })
}

async function find({ orm, query }: Database, prefix: string) {
  const found = await query(
    orm
      .select({
        id: sessions.id,
        userId: sessions.userId,
        revokedAt: sessions.revokedAt,
        email: users.email,
      })
      .from(sessions)
      .innerJoin(users, eq(users.id, sessions.userId))
      .where(between(sessions.id, ...idsThatBeginWith(prefix)))
      .limit(2),
  )
  const [session] = found
  if (session && found.length === 1) return session
  throw new Error(
    session
      ? `More than one session's id begins with ${prefix}.`
      : `No session has the id ${prefix}.`,
  )
}

/** With its events in one transaction; one that has ended already stays as it is. */
async function revoke(database: Database, id: string): Promise<void> {
  await database.query(
    database.orm.transaction(async (tx) => {
      const events: NewEvent[] = []
      const records = createSessionRecords({ ...database, orm: tx }, (ended, reason) => {
        for (const session of ended)
          events.push(adminAction('sessions_ended', session), {
            type: 'session_ended',
            ...session,
            detail: { reason },
          })
      })
      await records.revoke([id], 'ended_by_admin')
      if (events.length > 0) await record(tx, ...events)
    }),
  )
}
