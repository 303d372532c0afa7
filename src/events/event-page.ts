import type { EventQuery, RecordedEvent } from '../schemas/events.ts'
import type { EventRecords } from './event-records.ts'

export interface EventPage {
  events: RecordedEvent[]
  /** The `cursor` of the next page, where there is one. */
  next?: string
}

/** Events of a page, unless asked for another number. */
const USUAL = 50

/** What a query asks for, a page at a time, the newest first. */
export async function readPage(
  records: Pick<EventRecords, 'page'>,
  query: EventQuery,
): Promise<EventPage> {
  const { from, to, cursor: before, limit = USUAL, ...filter } = query
  // One more than asked for: whether there is a next page.
  const found = await records.page(
    { ...filter, from: timeOf(from), to: timeOf(to), before },
    limit + 1,
  )
  const events = found.slice(0, limit)
  const last = events.at(-1)
  return found.length > limit && last ? { events, next: last.id } : { events }
}

function timeOf(moment: string | undefined): number | undefined {
  return moment === undefined ? undefined : Date.parse(moment)
}
