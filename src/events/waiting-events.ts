import type { EventType } from './event.ts'
import type { EventRow } from './event-records.ts'
import { DROP_ORDER } from './event-types.ts'

/**
 * Creates a buffer of at most `limit` rows that wait to be written. The types that are dropped last
 * are written first. `onDropped` is called for each row that did not fit.
 */
export function createWaitingEvents(limit: number, onDropped: (type: EventType) => void) {
  /** The rows of each group of `DROP_ORDER`, the oldest first. */
  const groups = DROP_ORDER.map(() => new Set<EventRow>())
  const groupOf = new Map(
    DROP_ORDER.flatMap((types, index) => types.map((type) => [type, groups[index]] as const)),
  )
  const size = () => groups.reduce((sum, rows) => sum + rows.size, 0)

  function dropOne(): void {
    const [oldest] = groups.find((rows) => rows.size > 0) ?? []
    if (!oldest) return
    groupOf.get(oldest.type)?.delete(oldest)
    onDropped(oldest.type)
  }

  return {
    size,

    add(row: EventRow): void {
      groupOf.get(row.type)?.add(row)
      if (size() > limit) dropOne()
    },

    /** Returns the next rows to write. They stay until they are removed, since a write may fail. */
    first(count: number): EventRow[] {
      const batch: EventRow[] = []
      for (const rows of groups.toReversed()) {
        for (const row of rows) {
          if (batch.length === count) return batch
          batch.push(row)
        }
      }
      return batch
    },

    remove(batch: readonly EventRow[]): void {
      for (const row of batch) groupOf.get(row.type)?.delete(row)
    },
  }
}
