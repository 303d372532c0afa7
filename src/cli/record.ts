import { sql } from 'drizzle-orm'
import { type Database, rowsOf } from '../db/database.ts'
import type { AdminAction, NewEvent } from '../events/event.ts'
import { insertEvents } from '../events/event-records.ts'

/** The database, or a transaction on it. */
type Executor = Pick<Database['orm'], 'execute'>

/** The time of Postgres, in milliseconds since the epoch. */
export async function timeOf(executor: Executor): Promise<number> {
  const [row] = rowsOf<{ ms: number }>(
    await executor.execute(sql`select (extract(epoch from now()) * 1000)::float8 as ms`),
  )
  return Math.floor(Number(row?.ms ?? 0))
}

/** Put on record, in the transaction of the change itself, what has just been done from the command line. */
export async function record(executor: Executor, ...events: NewEvent[]): Promise<void> {
  const at = await timeOf(executor)
  await insertEvents(executor, ...events.map((event) => ({ ...event, at })))
}

export function adminAction(
  action: AdminAction,
  about: { userId?: string; sessionId?: string } = {},
): NewEvent {
  return { type: 'admin_action', ...about, detail: { action, via: 'cli' } }
}
