import { readPage } from '../common/page.ts'
import type { RecordedEvent } from './event.ts'
import type { EventFilter, EventRecords } from './event-records.ts'

export interface EventQuery extends Omit<EventFilter, 'before'> {
  /** The `next` of the page before. */
  cursor?: string | undefined
  /** The maximum number of events, 50 by default. */
  limit?: number | undefined
}

export interface EventPage {
  events: RecordedEvent[]
  /** The `cursor` of the next page, if there is one. */
  next?: string
}

/** Reads one page of the events that match a query, the newest first. */
export async function readEventPage(
  records: Pick<EventRecords, 'list'>,
  { cursor: before, limit = 50, ...filter }: EventQuery,
): Promise<EventPage> {
  const { items: events, ...page } = await readPage(
    limit,
    (count) => records.list({ ...filter, before }, count),
    (last) => last.id,
  )
  return { events, ...page }
}
