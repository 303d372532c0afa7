import { loadDatabaseConfig } from '../config/config.ts'
import { readUserPage } from '../users/user-page.ts'
import { createUserRecords } from '../users/user-records.ts'
import { withDatabase } from './database.ts'
import { printJson, printTable } from './table.ts'
import type { Terminal } from './terminal.ts'

export interface ListOptions {
  limit: number
  after?: string
  json?: true
}

/** Prints the users whose address starts with `prefix`, in the order of their addresses. */
export async function listUsers(
  terminal: Terminal,
  prefix: string | undefined,
  { limit, after, json }: ListOptions,
): Promise<void> {
  const { items: users, next } = await withDatabase(loadDatabaseConfig(terminal.env), (database) =>
    readUserPage(createUserRecords(database), { email: prefix, after, limit }),
  )
  if (json) return printJson(terminal, { users, ...(next && { after: next }) })
  const rows = users.map(({ id, email = id, status, roles, createdAt }) => [
    email,
    status,
    roles.join(','),
    createdAt.slice(0, 10),
  ])
  const heading = ['USER', 'STATUS', 'ROLES', 'CREATED']
  printTable(terminal, { heading, rows, none: 'There are no such users.', next })
}
