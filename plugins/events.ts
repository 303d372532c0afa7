import fp from 'fastify-plugin'
import { createHousekeeping } from '../src/common/housekeeping.ts'
import { createEventLog, type EventLog } from '../src/events/event-log.ts'
import { type EventPage, readPage } from '../src/events/event-page.ts'
import { createEventRecords } from '../src/events/event-records.ts'
import type { EventQuery } from '../src/schemas/events.ts'
import { createWebhook } from '../src/webhook/webhook.ts'
import { createWebhookCall, type WebhookTarget } from '../src/webhook/webhook-call.ts'
import { createWebhookRecords } from '../src/webhook/webhook-records.ts'

declare module 'fastify' {
  interface FastifyInstance {
    events: Pick<EventLog, 'record' | 'announce'> & { page(query: EventQuery): Promise<EventPage> }
  }
}

export interface EventsOptions {
  /** Milliseconds that an event stays on record. */
  retention: number
  /** Whether refreshes are recorded. */
  refreshes: boolean
  /** Who is told of theft and of what administrators do, and for how many milliseconds that is tried. */
  webhook?: (WebhookTarget & { retryFor: number }) | undefined
  /** For tests. */
  clock?: (() => number) | undefined
}

/** Milliseconds after which a node without a webhook forgets what one would have been told of. */
const UNWANTED_AFTER = 86_400_000

/** Decorates the instance with `events`, and delivers to the webhook. */
export const events = fp(
  async (app, { retention, refreshes, webhook: target, clock = Date.now }: EventsOptions) => {
    const { database, metrics, log } = app
    const records = createEventRecords(database)
    const deliveries = createWebhookRecords(database)
    const onDropped = metrics.counter(
      'pawl_events_dropped_total',
      'Security events lost, by type',
      'type',
    )
    const eventLog = createEventLog({ records, refreshes, onDropped, clock, log })
    metrics.show(
      'pawl_events_waiting',
      'Security events that are not in Postgres yet',
      eventLog.waiting,
    )
    const forgetUnwanted = async () => (target ? 0 : deliveries.discardOlder(UNWANTED_AFTER))
    const keeping = createHousekeeping(
      [forgetUnwanted, () => records.deleteOlder(retention, clock())],
      log,
    )
    const workers = [eventLog, keeping]
    const onOutcome = metrics.counter(
      'pawl_webhook_attempts_total',
      'Attempts to tell the webhook, by outcome: delivered, failed, dead',
      'outcome',
    )
    // The receiver judges the signature's age by the real time.
    const call = target && createWebhookCall(target, Date.now)
    const webhook =
      call &&
      createWebhook({ records: deliveries, call, retryFor: target.retryFor, onOutcome, log })

    for (const worker of webhook ? [...workers, webhook] : workers) worker.start()
    app.addHook('onClose', async () => {
      await Promise.all([webhook?.stop(), keeping.stop(), eventLog.stop()])
    })
    app.decorate('events', {
      record: eventLog.record,
      announce: eventLog.announce,
      page: (query) => readPage(records, query),
    })
  },
  { name: 'pawl-events', dependencies: ['pawl-database', 'pawl-metrics'] },
)
