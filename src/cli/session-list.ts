import { findUser } from './lookup.ts'
import { withServices } from './services.ts'
import { formatTime, printJson, printTable, SHOWN_OF_SESSION } from './table.ts'
import type { Terminal } from './terminal.ts'

/** Prints the live sessions of a user, the newest first. */
export async function listSessions(
  terminal: Terminal,
  name: string,
  json: true | undefined,
): Promise<void> {
  const sessions = await withServices(terminal, async ({ users, administration }) => {
    const { id } = await findUser(users, name)
    return administration.listSessions(id)
  })
  if (json) {
    const views = sessions.map(({ createdAt, lastSeenAt, expiresAt, ...session }) => ({
      ...session,
      createdAt: new Date(createdAt),
      lastSeenAt: new Date(lastSeenAt),
      expiresAt: new Date(expiresAt),
    }))
    return printJson(terminal, views)
  }
  const rows = sessions.map(({ id, lastSeenAt, ip, device }) => [
    id.slice(0, SHOWN_OF_SESSION),
    formatTime(lastSeenAt),
    ip ?? '-',
    device ?? '-',
  ])
  const heading = ['ID', 'LAST SEEN', 'ADDRESS', 'DEVICE']
  printTable(terminal, { heading, rows, none: 'There are no live sessions.' })
}
