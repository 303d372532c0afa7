import type { EventQuery, RecordedEvent } from '../schemas/events.ts'
import type { EventRecords } from './event-records.ts'

export interface EventPage {
  events: RecordedEvent[]
  /** The `cursor` of the next page, where there is one. */
  next?: string
}

/** What a query asks for, a page at a time, the newest first. */
export async function readPage(records: Pick<EventRecords, 'page'>, query: EventQuery): Promise<EventPage> {
  const { from, to, cursor: before, limit, ...filter } = query
  const span = { from: from && Date.parse(from), to: to && Date.parse(to) }
  // One more than asked for: whether there is a next page.
  const found = await records.page({ ...filter, ...defined(span), before }, limit + 1)
  const events = found.slice(0, limit)
  const last = events.at(-1)
  return found.length > limit && last ? { events, next: last.id } : { events }
}

function defined(span: Record<'from' | 'to', number | '' | undefined>) {
  return { from: span.from === '' ? undefined : span.from, to: span.to === '' ? undefined : span.to }
}
