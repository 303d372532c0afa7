import { loadDatabaseConfig } from '../config/config.ts'
import { createSessionViews } from '../sessions/session-views.ts'
import { createUserRecords } from '../users/user-records.ts'
import { withDatabase } from './database.ts'
import { findUser } from './lookup.ts'
import { timeOf } from './record.ts'
import { formatTable, formatTime, SHOWN_OF_SESSION } from './table.ts'
import type { Terminal } from './terminal.ts'

const HEADING = ['ID', 'LAST SEEN', 'ADDRESS', 'DEVICE']

export async function listSessions(
  terminal: Terminal,
  name: string,
  json: true | undefined,
): Promise<void> {
  const config = loadDatabaseConfig(terminal.env)
  const sessions = await withDatabase(config, async (database) => {
    const { id } = await findUser(createUserRecords(database), name)
    return createSessionViews(database).list(id, await timeOf(database.orm), config.refreshIdleTtl)
  })
  if (json) {
    const rows = sessions.map(({ createdAt, lastSeenAt, expiresAt, ...session }) => ({
      ...session,
      createdAt: new Date(createdAt),
      lastSeenAt: new Date(lastSeenAt),
      expiresAt: new Date(expiresAt),
    }))
    terminal.stdout.write(`${JSON.stringify(rows)}\n`)
    return
  }
  const rows = sessions.map(({ id, lastSeenAt, ip, device }) => [
    id.slice(0, SHOWN_OF_SESSION),
    formatTime(lastSeenAt),
    ip ?? '-',
    device ?? '-',
  ])
  terminal.stdout.write(
    rows.length > 0 ? formatTable(HEADING, rows) : 'There are no live sessions.\n',
  )
}
