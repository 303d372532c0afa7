import type { NewEvent } from './event.ts'
import { type EventRow, toRow } from './event-records.ts'

export type RefreshEvent = Extract<NewEvent, { type: 'refresh' }>

/**
 * Creates a buffer of refresh events that merges similar ones. Consecutive refreshes of one session
 * from one device with one outcome share a row until the rows are taken, so that a client that
 * refreshes in a loop does not fill the table.
 */
export function createRefreshAggregator() {
  const rows: EventRow[] = []
  const latest = new Map<string | undefined, RefreshEvent>()
  return {
    size: () => rows.length,

    /** Adds a refresh that happened at `at`, in milliseconds since 1970. */
    add(refresh: RefreshEvent, at: number): void {
      const previous = latest.get(refresh.sessionId)
      if (previous && areAlike(previous, refresh)) {
        previous.detail.generation = refresh.detail.generation
        previous.detail.times = (previous.detail.times ?? 1) + 1
      } else {
        const copy = { ...refresh, detail: { ...refresh.detail } }
        latest.set(refresh.sessionId, copy)
        // The row and the copy share one `detail`, so a later refresh updates the row as well.
        rows.push(toRow({ ...copy, at }))
      }
    },

    /** Removes and returns all rows, the oldest first. They no longer change. */
    take(): EventRow[] {
      latest.clear()
      return rows.splice(0)
    },
  }
}

function areAlike(one: RefreshEvent, other: RefreshEvent): boolean {
  return (
    one.detail.outcome === other.detail.outcome &&
    one.device?.ip === other.device?.ip &&
    one.device?.userAgent === other.device?.userAgent
  )
}
