import { errorText } from '../common/error-text.ts'
import type { Log } from '../common/log.ts'
import { createWorker } from '../common/worker.ts'
import { withDeadline } from '../db/database.ts'
import type { EventType, NewEvent, SecurityEvent } from './event.ts'
import { type EventRecords, type EventRow, toFields, toRow } from './event-records.ts'
import type { ListenedEvent } from './listened-event.ts'
import { createRefreshAggregator, type RefreshEvent } from './refresh-aggregator.ts'
import { createWaitingEvents } from './waiting-events.ts'

/** Milliseconds between two writes. */
const INTERVAL = 1_000
/** The maximum number of events in one statement. A full batch is written without delay. */
const BATCH = 500
/** Events that may wait while Postgres is unavailable. They take a few megabytes. */
const MAX_WAITING = 10_000
/** Milliseconds that the last write may take when the process stops. */
const STOP_LIMIT = 5_000

export interface EventLogOptions {
  records: Pick<EventRecords, 'insert'>
  /** Whether refreshes are recorded. They are by far the most frequent events. */
  eventsRefresh: boolean
  /** Called for each event that is lost because too many waited. */
  onDropped: (type: EventType) => void
  /** Called with events that are stored. */
  onStored?: (events: readonly ListenedEvent[]) => void
  /** Milliseconds since 1970. */
  clock: () => number
  log: Log
  maxWaiting?: number
}

export type EventLog = ReturnType<typeof createEventLog>

/**
 * Creates the event log. It logs each event at once and writes it to Postgres soon after, so that
 * no request waits for the write.
 */
export function createEventLog(options: EventLogOptions) {
  const { records, eventsRefresh, clock, log, maxWaiting = MAX_WAITING } = options
  const { onStored = () => {} } = options
  let dropped = 0
  const waiting = createWaitingEvents(maxWaiting, (type) => {
    dropped++
    options.onDropped(type)
  })
  const refreshes = createRefreshAggregator()
  const size = () => waiting.size() + refreshes.size()
  const writer = createWorker({ interval: INTERVAL, work: write })
  let isFailing = false

  function queueRefreshes(): void {
    for (const row of refreshes.take()) waiting.add(row)
  }

  /** Writes batch after batch. Stops at the first failure: the next run tries again. */
  async function write(): Promise<undefined> {
    queueRefreshes()
    while (waiting.size() > 0) {
      const batch = waiting.first(BATCH)
      try {
        await records.insert(batch)
        waiting.remove(batch)
        onStored(batch.map(toListened))
        isFailing = false
      } catch (error) {
        const facts = { event: 'events_waiting', events: size(), reason: errorText(error) }
        if (!isFailing) log.warn(facts, 'security events wait for Postgres')
        isFailing = true
        break
      }
    }
    logDropped()
  }

  function logDropped(): void {
    if (dropped === 0) return
    log.warn(
      { event: 'events_dropped', events: dropped },
      'too many security events waited for Postgres: some are lost',
    )
    dropped = 0
  }

  function announce(event: SecurityEvent): void {
    const { type, at: _, device, detail, ...ids } = event
    log.info({ event: type, ...ids, ...(device && { ip: device.ip }), ...detail }, 'security event')
  }

  function recordRefresh(refresh: RefreshEvent): void {
    const { type, userId, sessionId, device, detail } = refresh
    // Each open session has four refreshes per hour, and none of them needs anybody's attention.
    log.debug({ event: type, userId, sessionId, ip: device?.ip, ...detail }, 'security event')
    refreshes.add(refresh, clock())
  }

  function recordOther(newEvent: Exclude<NewEvent, RefreshEvent>): void {
    const event = { ...newEvent, at: clock() }
    announce(event)
    waiting.add(toRow(event))
    if (waiting.size() >= BATCH && !isFailing) void writer.run()
  }

  return {
    /** Writes the events that wait. Resolves even if the write fails. */
    flush: () => writer.run(),

    /** Returns the number of events that are not in Postgres yet. */
    waiting: size,

    /** Logs an event and queues it for Postgres. Returns at once and never throws. */
    record(event: NewEvent): void {
      if (event.type !== 'refresh') recordOther(event)
      else if (eventsRefresh) recordRefresh(event)
      if (size() > maxWaiting) queueRefreshes()
    },

    /**
     * Logs an event without storing it. For events that `insertEvents` has stored: call it when
     * their transaction is committed.
     */
    announce(event: SecurityEvent): void {
      announce(event)
      onStored([toListened(toRow(event))])
    },

    start: () => writer.start(),

    /** Writes the remaining events, for at most a few seconds. */
    async stop(): Promise<void> {
      // A write in flight does not contain the latest events, so another one follows it.
      await withDeadline(writer.stop().then(writer.run), STOP_LIMIT).catch(() => {})
      const lost = size()
      if (lost > 0)
        log.warn(
          { event: 'events_lost', events: lost },
          'the process stopped before all security events were written',
        )
    },
  }
}

function toListened({ id: _, ...row }: EventRow): ListenedEvent {
  return { ...toFields(row), type: row.type, detail: Object.freeze({ ...row.detail }) }
}
