import type { SecurityEvent } from '../events/event.ts'
import { insertEvents } from '../events/event-records.ts'
import type { SessionRef } from '../sessions/session.ts'
import { createSessionRecords } from '../sessions/session-records.ts'
import { findSession } from './lookup.ts'
import { confirm } from './prompts.ts'
import { report } from './report.ts'
import { OPERATOR, type Services, withServices } from './services.ts'
import type { Terminal } from './terminal.ts'
import type { ChangeOptions } from './user-change.ts'

/** Revokes the session whose id starts with `prefix`, and waits until the servers publish that. */
export async function revokeSession(
  terminal: Terminal,
  prefix: string,
  { yes, json }: ChangeOptions,
): Promise<void> {
  await withServices(terminal, async (services) => {
    const { id, userId, email, revokedAt } = await findSession(services.database, prefix)
    const name = email ?? userId
    if (!revokedAt && !yes)
      await confirm(
        terminal,
        `The session ${id} of ${name} will end, and its device will have to log in again.`,
      )
    await revoke(services, id)
    services.publications.expect({ kind: 'session', sessionId: id })
    const done = `The session of ${name} has ended${revokedAt ? ' already' : ''}.`
    await report(terminal, services, { done, facts: { id, userId, email } }, json)
  })
}

/** Revokes a session and records who did it, in one transaction. Does nothing if it has ended. */
async function revoke({ database, clock }: Services, sessionId: string): Promise<void> {
  await database.query(
    database.orm.transaction(async (tx) => {
      const revoked: SessionRef[] = []
      const records = createSessionRecords({ ...database, orm: tx }, (refs) => {
        revoked.push(...refs)
      })
      await records.revoke([sessionId], 'ended_by_admin')
      const at = clock()
      const events = revoked.flatMap((session): SecurityEvent[] => [
        { at, type: 'admin_action', ...session, detail: { action: 'sessions_ended', ...OPERATOR } },
        { at, type: 'session_ended', ...session, detail: { reason: 'ended_by_admin' } },
      ])
      if (events.length > 0) await insertEvents(tx, ...events)
    }),
  )
}
