import fp from 'fastify-plugin'
import { createCleanupWorker } from '../src/common/cleanup-worker.ts'
import type { Worker } from '../src/common/worker.ts'
import { createEventListeners, type EventListeners } from '../src/events/event-listeners.ts'
import { createEventLog, type EventLog } from '../src/events/event-log.ts'
import { type EventPage, readEventPage } from '../src/events/event-page.ts'
import { createEventRecords } from '../src/events/event-records.ts'
import type { EventQuery } from '../src/schemas/events.ts'
import { createDeliveryQueue } from '../src/webhook/delivery-queue.ts'
import { createDeliveryWorker } from '../src/webhook/delivery-worker.ts'
import { createSendEvent } from '../src/webhook/webhook-request.ts'

declare module 'fastify' {
  interface FastifyInstance {
    events: Pick<EventLog, 'record' | 'announce'> & {
      /** Reads one page of the stored events, the newest first. */
      page(query: EventQuery): Promise<EventPage>
      /** Adds a listener of the application. Returns a function that removes it. */
      on: EventListeners['on']
    }
  }
}

export interface EventsOptions {
  /** Milliseconds after which events are deleted. */
  eventRetention: number
  /** Whether refreshes are recorded. */
  eventsRefresh: boolean
  /** Without a URL no event is sent. */
  webhookUrl: string | undefined
  webhookSecrets: readonly string[]
  /** Milliseconds after the first attempt during which a delivery is retried. */
  webhookRetryFor: number
  /** Milliseconds since 1970; for tests. */
  clock?: (() => number) | undefined
}

/** Milliseconds after which deliveries are deleted if no webhook is configured to receive them. */
const UNSENT_RETENTION = 86_400_000

/** Decorates the instance with `events`, and delivers events to the webhook. */
export const events = fp(
  async (app, options: EventsOptions) => {
    const { eventRetention, webhookUrl, clock = Date.now } = options
    const { database, metrics, log } = app
    const records = createEventRecords(database)
    const queue = createDeliveryQueue(database)
    const onDropped = metrics.counter(
      'pawl_events_dropped_total',
      'Security events lost, by type',
      'type',
    )
    const listeners = createEventListeners(log)
    const onStored = listeners.emit
    const eventLog = createEventLog({ ...options, records, onDropped, onStored, clock, log })
    metrics.gauge(
      'pawl_events_waiting',
      'Security events that are not in Postgres yet',
      eventLog.waiting,
    )
    const onOutcome = metrics.counter(
      'pawl_webhook_attempts_total',
      'Webhook delivery attempts by outcome: delivered, failed, dead',
      'outcome',
    )
    const deleteOldEvents = () => records.deleteOlder(eventRetention, clock())
    const deleteUnsent = () => queue.deleteOlder(UNSENT_RETENTION)
    const tasks = webhookUrl ? [deleteOldEvents] : [deleteUnsent, deleteOldEvents]
    const workers: Pick<Worker, 'start' | 'stop'>[] = [eventLog, createCleanupWorker(tasks, log)]
    if (webhookUrl) {
      // Receivers compare the signed time with their own clock, so the real time is sent.
      const send = createSendEvent({ ...options, webhookUrl }, Date.now)
      workers.push(createDeliveryWorker({ ...options, queue, send, onOutcome, log }))
    }

    for (const worker of workers) worker.start()
    app.addHook('onClose', async () => {
      await Promise.all(workers.map((worker) => worker.stop()))
    })
    app.decorate('events', {
      record: eventLog.record,
      announce: eventLog.announce,
      on: listeners.on,
      page: ({ from, to, ...query }) =>
        readEventPage(records, { ...query, from: parseTime(from), to: parseTime(to) }),
    })
  },
  { name: 'pawl-events', dependencies: ['pawl-database', 'pawl-metrics'] },
)

function parseTime(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Date.parse(text)
}
