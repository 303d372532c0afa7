import { sql } from 'drizzle-orm'
import { type Database, rowsOf } from '../db/database.ts'
import { sessions as sessionsTable, users } from '../db/schema.ts'
import type { Checkpoint } from './checkpoint-records.ts'
import { deviceColumns } from './device.ts'
import { type SessionRef, startOf } from './session.ts'
import type { HotSessionStatus } from './session-store.ts'

/** A session that the hot state has and that Postgres may have lost. */
export interface LostSession {
  sessionId: string
  checkpoint: Checkpoint
  status: HotSessionStatus
}

/**
 * What became of a lost session. `inserted`: Postgres has its row, by this statement or by that of
 * another node. `user_changed`: the user has a version that the hot state does not have yet.
 * `user_missing`: Postgres has lost the user, too.
 */
export type LostSessionOutcome = 'inserted' | 'user_changed' | 'user_missing'

type Transaction = Pick<Database['orm'], 'execute'>

export type LostSessionRecords = ReturnType<typeof createLostSessionRecords>

/** Creates the SQL that inserts the rows of sessions which Postgres has lost. */
export function createLostSessionRecords({ orm, query }: Pick<Database, 'orm' | 'query'>) {
  return {
    /**
     * Inserts the rows again, in one statement, and returns the outcome for each session. If a row
     * exists by now, only its generation may rise: a session that was revoked stays revoked.
     */
    async insert(sessions: readonly LostSession[]): Promise<Map<string, LostSessionOutcome>> {
      const rows = sessions.map(({ sessionId, checkpoint, status }) => ({
        ...columnsOf({ sessionId, userId: checkpoint.userId }),
        ver: status.ver,
        expires: new Date(status.absoluteExpiry),
        generation: checkpoint.generation,
        seen: new Date(checkpoint.lastSeenAt),
        ...(checkpoint.device && deviceColumns(checkpoint.device)),
      }))
      // The lock waits for a change of the user. A change that ends sessions commits before the
      // hot state loses them, so its version is how this statement notices it. The order of the
      // locks is that of every other transaction that locks several users.
      const result = await query(
        orm.execute(sql`
          with lost as (
            select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as v(
              id uuid, "userId" text, ver bigint, created timestamptz, expires timestamptz,
              generation int, seen timestamptz, ip text, "userAgent" text)
          ), owners as (
            select id, ver from ${users} where id in (select "userId" from lost)
            order by id for share
          ), inserted as (
            insert into ${sessionsTable} as stored (
              id, user_id, created_at, expires_at, last_seen_at, generation,
              last_ip, last_user_agent)
            select lost.id, owners.id, created, expires, seen, generation, ip, "userAgent"
            from lost join owners on owners.id = lost."userId" and owners.ver <= lost.ver
            order by lost.id
            on conflict (id) do update set
              generation = greatest(stored.generation, excluded.generation)
          )
          select lost.id, case
            when owners.id is null then 'user_missing'
            when owners.ver > lost.ver then 'user_changed'
            else 'inserted' end as outcome
          from lost left join owners on owners.id = lost."userId"`),
      )
      const outcomes = rowsOf<{ id: string; outcome: LostSessionOutcome }>(result)
      return new Map(outcomes.map(({ id, outcome }) => [id, outcome]))
    },
  }
}

/**
 * Inserts a row for each session that has none, so that it can be revoked in the same transaction.
 * Without a row a revocation would leave no trace, and a checkpoint might bring the session back. A
 * session whose user does not exist needs no row.
 */
export async function insertMissingRows(
  tx: Transaction,
  sessions: readonly SessionRef[],
): Promise<void> {
  const rows = JSON.stringify(sessions.map(columnsOf))
  // The lock keeps the user from being deleted before the rows are there.
  await tx.execute(sql`
    with lost as (
      select * from jsonb_to_recordset(${rows}::jsonb) as v(
        id uuid, "userId" text, created timestamptz)
    ), owners as (
      select id from ${users} where id in (select "userId" from lost) order by id for key share
    )
    insert into ${sessionsTable} (id, user_id, created_at, expires_at, last_seen_at)
    select lost.id, owners.id, created, now(), now()
    from lost join owners on owners.id = lost."userId"
    on conflict (id) do nothing`)
}

/** Returns the columns that the id of a session determines. */
function columnsOf({ sessionId, userId }: SessionRef) {
  return { id: sessionId, userId, created: new Date(startOf(sessionId)) }
}
