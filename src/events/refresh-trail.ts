import type { SecurityEvent } from './event.ts'
import { type EventRow, toRow } from './event-records.ts'

type Refresh = Extract<SecurityEvent, { type: 'refresh' }>

/**
 * Refreshes that are not written yet. Those of one session, from one device and with one outcome, share a row until it is taken:
 * a client that refreshes in a loop must not fill a table.
 */
export function createRefreshTrail() {
  const rows = new Map<string, { row: EventRow; detail: Refresh['detail'] }>()
  return {
    size: () => rows.size,

    add(event: Refresh): void {
      const { sessionId, device, detail } = event
      const key = `${sessionId} ${detail.outcome} ${device?.ip} ${device?.userAgent}`
      const known = rows.get(key)
      if (known) {
        known.detail.generation = detail.generation
        known.detail.times = (known.detail.times ?? 1) + 1
      } else {
        const own = { ...detail }
        rows.set(key, { row: toRow({ ...event, detail: own }), detail: own })
      }
    },

    /** All of them, the oldest first; they change no more. */
    take(): EventRow[] {
      const taken = [...rows.values()].map(({ row }) => row)
      rows.clear()
      return taken
    },
  }
}
