import { sql } from 'drizzle-orm'
import { type Database, rowsOf } from '../db/database.ts'
import { sessions } from '../db/schema.ts'
import { type Device, deviceColumns } from './device.ts'

export interface Checkpoint {
  userId: string
  generation: number
  /** Milliseconds since 1970. */
  lastSeenAt: number
  /** The device that refreshed last. */
  device?: Device
}

/**
 * The column is a signed 32-bit integer. A token of a higher generation proves its own generation
 * anyway.
 */
const MAX_GENERATION = 0x7fffffff

export type CheckpointRecords = ReturnType<typeof createCheckpointRecords>

/** Creates access to the columns of the `sessions` table that say how far a session has come. */
export function createCheckpointRecords({ orm, query }: Database) {
  return {
    /**
     * Saves the checkpoints of many sessions in one statement. A generation never decreases.
     * Returns the ids of the sessions that have no row.
     */
    async save(checkpoints: ReadonlyMap<string, Checkpoint>): Promise<string[]> {
      const rows = [...checkpoints].map(([id, { generation, lastSeenAt, device }]) => ({
        id,
        generation: Math.min(generation, MAX_GENERATION),
        seen: new Date(lastSeenAt),
        ...(device && deviceColumns(device)),
      }))
      const saved = await query(
        orm.execute(sql`
          update ${sessions} as stored set
            generation = greatest(stored.generation, v.generation),
            last_ip = case when v.seen < stored.last_seen_at then last_ip else v.ip end,
            last_user_agent = case
              when v.seen < stored.last_seen_at then last_user_agent
              else v."userAgent" end,
            last_seen_at = greatest(stored.last_seen_at, v.seen)
          from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
            as v(id uuid, generation int, seen timestamptz, ip text, "userAgent" text)
          where stored.id = v.id
          returning stored.id`),
      )
      const ids = new Set(rowsOf<{ id: string }>(saved).map(({ id }) => id))
      return [...checkpoints.keys()].filter((id) => !ids.has(id))
    },
  }
}
