import type { Log } from '../common/log.ts'
import { type AttemptOutcome, createOutboxWorker } from '../common/outbox-worker.ts'
import type { DeliveryQueue } from './delivery-queue.ts'
import type { SendEvent } from './webhook-request.ts'

/** Milliseconds within which the receiver must respond. */
const REQUEST_LIMIT = 10_000
/** Requests in flight at once. */
const CONCURRENCY = 16
const BACKOFF = { first: 1_000, longest: 300_000 }

export interface DeliveryWorkerOptions {
  queue: DeliveryQueue
  send: SendEvent
  /** Milliseconds after the first attempt during which a delivery is retried. */
  webhookRetryFor: number
  onOutcome: (outcome: AttemptOutcome) => void
  log: Log
}

/**
 * Creates the worker that delivers events to the webhook: each at least once, those of one session
 * in order.
 */
export function createDeliveryWorker(options: DeliveryWorkerOptions) {
  const { queue, send, webhookRetryFor, onOutcome, log } = options
  return createOutboxWorker({
    outbox: {
      ...queue,
      fail: (delivery, reason, delay = 0) => queue.fail(delivery, reason, delay, webhookRetryFor),
    },
    send: async ({ event }, signal) => {
      const reason = await send(event, signal)
      return reason === undefined ? { outcome: 'delivered' } : { outcome: 'failed', reason }
    },
    sendLimit: REQUEST_LIMIT,
    concurrency: CONCURRENCY,
    backoff: BACKOFF,
    onOutcome,
    lines: {
      prefix: 'webhook',
      facts: ({ event: { id, type } }) => ({ eventId: id, type }),
      dead: 'an event was given up: no attempt succeeded',
      back: 'the webhook accepts events again',
      failed: 'the webhook does not accept events',
      broken: 'webhook deliveries cannot be read or written',
    },
    log,
  })
}
