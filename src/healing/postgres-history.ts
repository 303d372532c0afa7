import { sql } from 'drizzle-orm'
import { type Database, rowsOf } from '../db/database.ts'
import { storeState } from '../db/schema.ts'

/** What tells one history of Postgres from another. */
export interface PostgresState {
  /** The counter before it was raised. */
  before: number
  /** The counter now. */
  counter: number
  /** The timeline of the write-ahead log, if this server names it. A promotion begins a new one. */
  timeline: string | undefined
}

export type PostgresHistory = ReturnType<typeof createPostgresHistory>

/** Creates access to the counter by which the nodes notice that Postgres lost commits. */
export function createPostgresHistory({ orm, query }: Database) {
  /** Servers that are not Postgres itself may lack these functions, or refuse them. */
  async function readTimeline(): Promise<string | undefined> {
    const statement = sql`select left(pg_walfile_name(pg_current_wal_lsn()), 8) as timeline`
    try {
      return rowsOf<{ timeline: string }>(await query(orm.execute(statement)))[0]?.timeline
    } catch {
      return undefined
    }
  }

  return {
    /** Returns what names the database within its server. A restore and a fail-over keep it. */
    async databaseId(): Promise<string> {
      const statement = sql`select oid from pg_database where datname = current_database()`
      return String(rowsOf<{ oid: number }>(await query(orm.execute(statement)))[0]?.oid)
    },

    /**
     * Raises the counter above its own value, above `known`, and to the time in milliseconds. So a
     * counter that was lost is never reached again by counting.
     */
    async advance(known: number): Promise<PostgresState> {
      const { before, counter } = await query(
        orm.transaction(async (tx) => {
          await tx.insert(storeState).values({}).onConflictDoNothing()
          const [old] = await tx.select().from(storeState).for('update')
          const raised = sql`greatest(${storeState.counter}, ${known}::bigint) + 1`
          const [now] = await tx
            .update(storeState)
            .set({ counter: sql`greatest(${raised}, ${NOW})` })
            .returning()
          return { before: old?.counter ?? 0, counter: now?.counter ?? 0 }
        }),
      )
      return { before, counter, timeline: await readTimeline() }
    },
  }
}

const NOW = sql`floor(extract(epoch from clock_timestamp()) * 1000)::bigint`
