import { asc, gt, like, sql } from 'drizzle-orm'
import { loadDatabaseConfig } from '../config/config.ts'
import { users } from '../db/schema.ts'
import { withDatabase } from './database.ts'
import { formatTable } from './table.ts'
import type { Terminal } from './terminal.ts'

export interface ListOptions {
  limit: number
  after?: string
  json?: true
}

const HEADING = ['EMAIL', 'STATUS', 'ROLES', 'CREATED']

/** The users whose address begins so, in the order of the addresses. */
export async function listUsers(
  terminal: Terminal,
  beginning: string,
  { limit, after, json }: ListOptions,
) {
  // The expression of the index.
  const address = sql`lower(${users.email}) collate "C"`
  const { id, email, status, roles, createdAt } = users
  const found = await withDatabase(loadDatabaseConfig(terminal.env), ({ orm, query }) =>
    query(
      orm
        .select({ id, email, status, roles, createdAt })
        .from(users)
        .where(
          sql`${like(address, `${escapePattern(beginning.toLowerCase())}%`)} and ${gt(address, after?.toLowerCase() ?? '')}`,
        )
        .orderBy(asc(address))
        .limit(limit + 1),
    ),
  )
  const shown = found.slice(0, limit)
  const more = found.length > limit ? shown.at(-1)?.email : undefined
  if (json) {
    terminal.stdout.write(`${JSON.stringify({ users: shown, ...(more && { after: more }) })}\n`)
    return
  }
  const rows = shown.map((user) => [
    user.email,
    user.status,
    user.roles.join(','),
    user.createdAt.toISOString().slice(0, 10),
  ])
  terminal.stdout.write(rows.length > 0 ? formatTable(HEADING, rows) : 'There are no such users.\n')
  if (more) terminal.stderr.write(`There are more: add --after ${more}\n`)
}

function escapePattern(text: string): string {
  return text.replaceAll(/[\\%_]/g, '\\$&')
}
