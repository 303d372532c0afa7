import fp from 'fastify-plugin'
import { createCleanupWorker } from '../src/common/cleanup-worker.ts'
import { createEventLog, type EventLog } from '../src/events/event-log.ts'
import { type EventPage, readPage } from '../src/events/event-page.ts'
import { createEventRecords } from '../src/events/event-records.ts'
import type { EventQuery } from '../src/schemas/events.ts'
import { createWebhook } from '../src/webhook/webhook.ts'
import { createWebhookCall } from '../src/webhook/webhook-call.ts'
import { createWebhookRecords } from '../src/webhook/webhook-records.ts'

declare module 'fastify' {
  interface FastifyInstance {
    events: Pick<EventLog, 'record' | 'announce'> & { page(query: EventQuery): Promise<EventPage> }
  }
}

export interface EventsOptions {
  /** Milliseconds for which an event is kept. */
  eventRetention: number
  /** Whether refreshes are recorded. */
  eventsRefresh: boolean
  /** Without it nothing is sent. */
  webhookUrl: string | undefined
  webhookSecrets: readonly string[]
  /** Milliseconds for which a delivery is retried. */
  webhookRetryFor: number
  /** For tests. */
  clock?: (() => number) | undefined
}

/** Milliseconds after which a node without a webhook forgets what one would have been told of. */
const UNWANTED_AFTER = 86_400_000

/** Decorates the instance with `events`, and delivers to the webhook. */
export const events = fp(
  async (app, options: EventsOptions) => {
    const { eventRetention, eventsRefresh, webhookUrl, webhookSecrets, webhookRetryFor } = options
    const { clock = Date.now } = options
    const { database, metrics, log } = app
    const records = createEventRecords(database)
    const deliveries = createWebhookRecords(database)
    const onDropped = metrics.counter(
      'pawl_events_dropped_total',
      'Security events lost, by type',
      'type',
    )
    const eventLog = createEventLog({ records, eventsRefresh, onDropped, clock, log })
    metrics.show(
      'pawl_events_waiting',
      'Security events that are not in Postgres yet',
      eventLog.waiting,
    )
    const forgetUnwanted = async () => (webhookUrl ? 0 : deliveries.discardOlder(UNWANTED_AFTER))
    const cleanup = createCleanupWorker(
      [forgetUnwanted, () => records.deleteOlder(eventRetention, clock())],
      log,
    )
    const workers = [eventLog, cleanup]
    const onOutcome = metrics.counter(
      'pawl_webhook_attempts_total',
      'Attempts to tell the webhook, by outcome: delivered, failed, dead',
      'outcome',
    )
    // The receiver judges the signature's age by the real time.
    const call =
      webhookUrl === undefined
        ? undefined
        : createWebhookCall({ webhookUrl, webhookSecrets }, Date.now)
    const webhook =
      call && createWebhook({ records: deliveries, call, webhookRetryFor, onOutcome, log })

    for (const worker of webhook ? [...workers, webhook] : workers) worker.start()
    app.addHook('onClose', async () => {
      await Promise.all([webhook?.stop(), cleanup.stop(), eventLog.stop()])
    })
    app.decorate('events', {
      record: eventLog.record,
      announce: eventLog.announce,
      page: (query) => readPage(records, query),
    })
  },
  { name: 'pawl-events', dependencies: ['pawl-database', 'pawl-metrics'] },
)
