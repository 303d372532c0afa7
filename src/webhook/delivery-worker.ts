import { backoffDelay, withJitter } from '../common/backoff.ts'
import { errorText } from '../common/error-text.ts'
import type { Log } from '../common/log.ts'
import { createWorker } from '../common/worker.ts'
import { withDeadline } from '../db/database.ts'
import { PawlError } from '../errors.ts'
import type { Delivery, DeliveryQueue } from './delivery-queue.ts'
import type { SendEvent } from './webhook-request.ts'

/** Milliseconds between two polls for deliveries. */
const INTERVAL = 1_000
/** Milliseconds within which the receiver must respond. */
const REQUEST_LIMIT = 10_000
/**
 * Milliseconds after which another node may make the attempt. A request, and the statement that
 * stores its outcome, are over by then.
 */
const LEASE = 20_000
/** Requests in flight at once. */
const CONCURRENCY = 16
/** The delay before a retry, with jitter so that what failed together is not retried together. */
const BACKOFF = { first: 1_000, longest: 300_000 }
/** Milliseconds that aborting the requests may take when the process stops. */
const STOP_LIMIT = 5_000

export type DeliveryOutcome = 'delivered' | 'failed' | 'dead'

export interface DeliveryWorkerOptions {
  queue: DeliveryQueue
  send: SendEvent
  /** Milliseconds after the first attempt during which a delivery is retried. */
  webhookRetryFor: number
  onOutcome: (outcome: DeliveryOutcome) => void
  log: Log
}

/**
 * Creates the worker that delivers events to the webhook: each at least once, those of one session
 * in order. The nodes share the work. If one dies, another takes over its deliveries.
 */
export function createDeliveryWorker(options: DeliveryWorkerOptions) {
  const { queue, send, webhookRetryFor, onOutcome, log } = options
  const inFlight = new Map<Promise<void>, AbortController>()
  const poller = createWorker({ interval: INTERVAL, work: claim })
  let isStopped = false
  let isFailing = false

  async function claim(): Promise<undefined> {
    const free = CONCURRENCY - inFlight.size
    if (free <= 0 || isStopped) return
    try {
      for (const delivery of await queue.claim(free, LEASE)) startAttempt(delivery)
    } catch (error) {
      logDatabaseError(error)
    }
  }

  function startAttempt(delivery: Delivery): void {
    const controller = new AbortController()
    const limit = setTimeout(() => controller.abort(), REQUEST_LIMIT)
    const attempt = deliver(delivery, controller.signal).finally(() => {
      clearTimeout(limit)
      inFlight.delete(attempt)
      // While the receiver fails, only the timer claims more: a long queue is not tried in vain.
      if (!isFailing) void poller.run()
    })
    inFlight.set(attempt, controller)
  }

  async function deliver(delivery: Delivery, signal: AbortSignal): Promise<void> {
    const failure = await send(delivery.event, signal)
    try {
      const outcome = await storeOutcome(delivery, failure)
      if (outcome) reportOutcome(delivery, outcome, failure)
    } catch (error) {
      // The lease expires, and the attempt is made again.
      logDatabaseError(error)
    }
  }

  /** Stores the outcome of an attempt. Returns nothing if the attempt was aborted by `stop`. */
  async function storeOutcome(
    delivery: Delivery,
    failure: string | undefined,
  ): Promise<DeliveryOutcome | undefined> {
    if (failure === undefined) {
      await queue.complete(delivery)
      return 'delivered'
    }
    if (isStopped) {
      await queue.release(delivery)
      return undefined
    }
    const delay = withJitter(backoffDelay(delivery.attempts, BACKOFF))
    return (await queue.fail(delivery, failure, delay, webhookRetryFor)) ? 'dead' : 'failed'
  }

  function reportOutcome(
    { event: { id, type }, attempts }: Delivery,
    outcome: DeliveryOutcome,
    reason: string | undefined,
  ): void {
    onOutcome(outcome)
    const facts = { eventId: id, type, attempts, reason }
    if (outcome === 'dead')
      log.warn({ event: 'webhook_dead', ...facts }, 'an event was given up: no attempt succeeded')
    if (outcome === 'delivered' && isFailing)
      log.info({ event: 'webhook_back', ...facts }, 'the webhook accepts events again')
    if (outcome === 'failed' && !isFailing)
      log.warn({ event: 'webhook_failed', ...facts }, 'the webhook does not accept events')
    isFailing = outcome !== 'delivered'
  }

  function logDatabaseError(error: unknown): void {
    // An outage of Postgres is logged elsewhere, by everything that needs it.
    if (error instanceof PawlError) return
    const facts = { event: 'webhook_broken', reason: errorText(error) }
    log.warn(facts, 'webhook deliveries cannot be read or written')
  }

  async function abortAttempts(): Promise<void> {
    await poller.stop()
    for (const controller of inFlight.values()) controller.abort()
    await Promise.all(inFlight.keys())
  }

  return {
    start: () => poller.start(),

    /** Aborts the requests in flight and releases their claims to other nodes. */
    async stop(): Promise<void> {
      isStopped = true
      // If Postgres is unavailable, claims cannot be released in time. Then their leases expire.
      await withDeadline(abortAttempts(), STOP_LIMIT).catch(() => {})
    },
  }
}
