import type { Occurrence } from './event.ts'
import { type EventRow, toRow } from './event-records.ts'

export type Refresh = Extract<Occurrence, { type: 'refresh' }>

/**
 * Refreshes that are not written yet. Those of one session that follow each other from one device and with one outcome share a row
 * until it is taken: a client that refreshes in a loop must not fill a table.
 */
export function createRefreshTrail() {
  const rows: EventRow[] = []
  const newest = new Map<string | undefined, Refresh>()
  return {
    size: () => rows.length,

    /** `at` in milliseconds since the epoch. */
    add(refresh: Refresh, at: number): void {
      const known = newest.get(refresh.sessionId)
      if (known && areAlike(known, refresh)) {
        known.detail.generation = refresh.detail.generation
        known.detail.times = (known.detail.times ?? 1) + 1
      } else {
        const own = { ...refresh, detail: { ...refresh.detail } }
        newest.set(refresh.sessionId, own)
        // The row has the same `detail`.
        rows.push(toRow({ ...own, at }))
      }
    },

    /** All of them, the oldest first; they change no more. */
    take(): EventRow[] {
      newest.clear()
      return rows.splice(0)
    },
  }
}

function areAlike(one: Refresh, other: Refresh): boolean {
  return (
    one.detail.outcome === other.detail.outcome &&
    one.device?.ip === other.device?.ip &&
    one.device?.userAgent === other.device?.userAgent
  )
}
