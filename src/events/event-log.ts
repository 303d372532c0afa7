import type { Log } from '../common/log.ts'
import { withDeadline } from '../db/database.ts'
import type { EventType, Occurrence, SecurityEvent } from './event.ts'
import { type EventRecords, toRow } from './event-records.ts'
import { createRefreshTrail, type Refresh } from './refresh-trail.ts'
import { createWaitingEvents } from './waiting-events.ts'

/** Milliseconds between two writes. */
const INTERVAL = 1_000
/** Events in one statement; so many that wait, refreshes apart, are written at once. */
const BATCH = 500
/** Events that may wait while Postgres is away: a few megabytes. */
const MOST_WAITING = 10_000
/** Milliseconds that the last write may take when the process stops. */
const STOP_LIMIT = 5_000

export interface EventLogOptions {
  records: Pick<EventRecords, 'insert'>
  /** Whether refreshes are recorded: they are by far the most. */
  eventsRefresh: boolean
  /** Hears of each event that will not be on record, because too many waited. */
  onDropped: (type: EventType) => void
  /** Milliseconds since the epoch. */
  clock: () => number
  log: Log
  mostWaiting?: number
}

export type EventLog = ReturnType<typeof createEventLog>

/** Puts what happens on record, in the log at once and in Postgres soon after, so that no request waits for it. */
export function createEventLog(options: EventLogOptions) {
  const { records, eventsRefresh, clock, log, mostWaiting = MOST_WAITING } = options
  let dropped = 0
  const waiting = createWaitingEvents(mostWaiting, (type) => {
    dropped++
    options.onDropped(type)
  })
  const trail = createRefreshTrail()
  const size = () => waiting.size() + trail.size()
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> | undefined
  let failing = false

  function addTrail(): void {
    for (const row of trail.take()) waiting.add(row)
  }

  /** Stops at the first failure: the next turn tries again. */
  async function write(): Promise<void> {
    addTrail()
    while (waiting.size() > 0) {
      const batch = waiting.first(BATCH)
      try {
        await records.insert(batch)
        waiting.remove(batch)
        failing = false
      } catch (error) {
        const reason = error instanceof Error ? error.message : 'unknown'
        const facts = { event: 'events_waiting', events: size(), reason }
        if (!failing) log.warn(facts, 'security events wait for Postgres')
        failing = true
        break
      }
    }
    reportDrops()
  }

  function reportDrops(): void {
    if (dropped === 0) return
    log.warn(
      { event: 'events_dropped', events: dropped },
      'too many security events waited: some are lost',
    )
    dropped = 0
  }

  /** One after the other: a batch stays in line until it is written. */
  function flush(): Promise<void> {
    writing ??= write().finally(() => {
      writing = undefined
    })
    return writing
  }

  function announce(event: SecurityEvent): void {
    const { type, at: _, device, detail, ...who } = event
    log.info({ event: type, ...who, ...(device && { ip: device.ip }), ...detail }, 'security event')
  }

  function recordRefresh(refresh: Refresh): void {
    const { type, userId, sessionId, device, detail } = refresh
    // Four an hour of each open session, and nothing to look at in any of them.
    log.debug({ event: type, userId, sessionId, ip: device?.ip, ...detail }, 'security event')
    trail.add(refresh, clock())
  }

  function recordOther(occurrence: Exclude<Occurrence, Refresh>): void {
    const event = { ...occurrence, at: clock() }
    announce(event)
    waiting.add(toRow(event))
    if (waiting.size() >= BATCH && !failing) void flush()
  }

  return {
    /** Write what waits; resolves also where that fails. */
    flush,

    waiting: size,

    /** Takes no time and never throws. */
    record(occurrence: Occurrence): void {
      if (occurrence.type !== 'refresh') recordOther(occurrence)
      else if (eventsRefresh) recordRefresh(occurrence)
      if (size() > mostWaiting) addTrail()
    },

    /** To the log alone, once the transaction that `insertEvents` was called in is committed. */
    announce,

    start(): void {
      timer = setInterval(flush, INTERVAL)
      timer.unref()
    },

    /** Writes what is left, as far as that goes within a few seconds. */
    async stop(): Promise<void> {
      clearInterval(timer)
      // A write that is under way began before the last events came.
      await withDeadline(flush().then(flush), STOP_LIMIT).catch(() => {})
      const lost = size()
      if (lost > 0)
        log.warn({ event: 'events_lost', events: lost }, 'stopped before all events were written')
    },
  }
}
