import { gt, isNotNull, or, sql } from 'drizzle-orm'
import type { Database } from '../db/database.ts'
import { signingKeys } from '../db/schema.ts'
import type { NewEvent } from '../events/event.ts'
import { insertEvents } from '../events/event-records.ts'
import { type KeyRecord, PURPOSES, type Purpose } from './key-record.ts'

/** The advisory lock of the table. The number is arbitrary, but every version must use the same. */
const KEYS_LOCK = 7_295_002

export interface Snapshot {
  keys: KeyRecord[]
  /** The time of Postgres at the read, in milliseconds; 0 if the table is empty. */
  now: number
}

export type KeyRecords = ReturnType<typeof createKeyRecords>

/**
 * Creates access to the `signing_keys` table. Every time in it, and every time that it is compared
 * with, is a time of Postgres.
 */
export function createKeyRecords({ orm, query }: Database) {
  const now = sql<number>`(extract(epoch from clock_timestamp()) * 1000)::float8`.mapWith(Number)
  const columns = { row: signingKeys, now }
  const recently = sql`now() - interval '1 day'`
  const inUse = or(isNotNull(signingKeys.sealed), gt(signingKeys.revokedAt, recently))

  return {
    /** Returns the keys that sign or verify, and those that were revoked in the last day. */
    async read(): Promise<Snapshot> {
      return toSnapshot(await query(orm.select(columns).from(signingKeys).where(inUse)))
    },

    /** Returns every key that was ever in the table. */
    async readAll(): Promise<Snapshot> {
      return toSnapshot(await query(orm.select(columns).from(signingKeys)))
    },

    /**
     * Changes the table to what `decide` returns for all of its keys, expired ones included, under
     * a lock that excludes other changes. Returns the new contents. Rejects with the error of
     * `decide` if that throws.
     */
    async change(
      decide: (keys: readonly KeyRecord[], now: number) => readonly KeyRecord[],
    ): Promise<Snapshot> {
      let refusal: unknown
      const changing = orm.transaction(async (tx) => {
        await tx.execute(sql`select pg_advisory_xact_lock(${KEYS_LOCK})`)
        const [time] = await tx.select({ now }).from(sql`(values (1)) as one`)
        const at = Math.floor(time?.now ?? 0)
        const { keys: before } = toSnapshot(await tx.select(columns).from(signingKeys))
        const after = rememberRefusal(() => decide(before, at))
        for (const key of after.filter((other) => !before.includes(other))) {
          const row = toRow(key)
          await tx
            .insert(signingKeys)
            .values(row)
            .onConflictDoUpdate({ target: signingKeys.kid, set: row })
        }
        const events = eventsOf(before, after).map((event) => ({ ...event, at }))
        if (events.length > 0) await insertEvents(tx, ...events)
        return { keys: [...after], now: at }
      })
      function rememberRefusal<T>(step: () => T): T {
        try {
          return step()
        } catch (error) {
          refusal = error
          throw error
        }
      }
      try {
        return await query(changing)
      } catch (error) {
        // `query` reports every error as one of the database; a refusal by `decide` is not.
        throw refusal ?? error
      }
    },
  }
}

/** Applies a rule to the keys of each purpose and returns all results together. */
export function eachPurpose(
  keys: readonly KeyRecord[],
  rule: (keys: readonly KeyRecord[], purpose: Purpose) => readonly KeyRecord[],
): KeyRecord[] {
  return PURPOSES.flatMap((purpose) => {
    const own = keys.filter((key) => key.purpose === purpose)
    return [...rule(own, purpose)]
  })
}

/**
 * Returns the security events of a change. The first keys of a purpose come from the configuration,
 * which is not a rotation.
 */
function eventsOf(before: readonly KeyRecord[], after: readonly KeyRecord[]): NewEvent[] {
  return after.flatMap((key): NewEvent[] => {
    const { kid, purpose, signsFrom, revokedAt } = key
    const was = before.find((other) => other.kid === kid)
    const isFirst = !before.some((other) => other.purpose === purpose)
    const events: NewEvent[] = []
    if (revokedAt !== null && !was?.revokedAt)
      events.push({ type: 'key_revoked', detail: { purpose, kid } })
    if (signsFrom !== null && !was?.signsFrom && !isFirst) {
      const previous = after.find(
        (other) => other.purpose === purpose && other.retiredAt === signsFrom,
      )
      const detail = { purpose, kid, ...(previous && { previousKid: previous.kid }) }
      events.push({ type: 'key_rotated', detail })
    }
    return events
  })
}

type Row = typeof signingKeys.$inferSelect

const TIMES = ['createdAt', 'readyAt', 'signsFrom', 'retiredAt', 'expiresAt', 'revokedAt'] as const

function toSnapshot(rows: { row: Row; now: number }[]): Snapshot {
  const keys = rows.map(({ row }) => {
    const times = TIMES.map((name) => [name, row[name]?.getTime() ?? null])
    return { ...row, ...Object.fromEntries(times) } as KeyRecord
  })
  // Oldest first, because the order of the rows must not decide which of several keys is next.
  keys.sort((a, b) => a.createdAt - b.createdAt || (a.kid < b.kid ? -1 : 1))
  return { keys, now: Math.floor(rows[0]?.now ?? 0) }
}

function toRow(key: KeyRecord): Row {
  const times = TIMES.map((name) => [name, key[name] === null ? null : new Date(key[name])])
  return { ...key, ...Object.fromEntries(times) } as Row
}
