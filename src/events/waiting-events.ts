import { type EventType, HEAVIEST, weightOf } from './event.ts'
import type { EventRow } from './event-records.ts'

/** Rows that wait to be written: a bounded number, the weightiest first, and where there are too many, the lightest go. */
export function createWaitingEvents(most: number, onDropped: (type: EventType) => void) {
  /** By weight; within each the oldest first. */
  const byWeight = Array.from({ length: HEAVIEST + 1 }, () => new Set<EventRow>())
  const size = () => byWeight.reduce((sum, rows) => sum + rows.size, 0)

  function dropOne(): void {
    const [oldest] = byWeight.find((rows) => rows.size > 0) ?? []
    if (!oldest) return
    byWeight[weightOf(oldest.type)]?.delete(oldest)
    onDropped(oldest.type)
  }

  return {
    size,

    add(row: EventRow): void {
      byWeight[weightOf(row.type)]?.add(row)
      if (size() > most) dropOne()
    },

    /** They stay until they are removed: a write may fail. */
    first(count: number): EventRow[] {
      const batch: EventRow[] = []
      for (const rows of byWeight.toReversed()) {
        for (const row of rows) {
          if (batch.length === count) return batch
          batch.push(row)
        }
      }
      return batch
    },

    remove(batch: readonly EventRow[]): void {
      for (const row of batch) byWeight[weightOf(row.type)]?.delete(row)
    },
  }
}
