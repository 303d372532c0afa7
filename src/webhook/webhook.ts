import type { Log } from '../common/log.ts'
import { withDeadline } from '../db/database.ts'
import { PawlError } from '../errors.ts'
import type { WebhookCall } from './webhook-call.ts'
import type { Delivery, WebhookRecords } from './webhook-records.ts'

/** Milliseconds between two looks for deliveries. */
const INTERVAL = 1_000
/** Milliseconds that the receiver has to answer. */
const CALL_LIMIT = 10_000
/** Milliseconds after which another node may make the attempt: a call and what is written of it are over by then. */
const LEASE = 20_000
/** Calls at once. */
const AT_ONCE = 16
/** Milliseconds after the first failure; doubled with each further one, up to the longest. */
const FIRST_DELAY = 1_000
const LONGEST_DELAY = 300_000
/** Milliseconds that giving up calls may take when the process stops. */
const STOP_LIMIT = 5_000

export type WebhookOutcome = 'delivered' | 'failed' | 'dead'

export interface WebhookOptions {
  records: WebhookRecords
  call: WebhookCall
  /** Milliseconds after the first attempt that a delivery is tried again. */
  webhookRetryFor: number
  onOutcome: (outcome: WebhookOutcome) => void
  log: Log
}

/**
 * Tells the webhook of events: each at least once, those of one session in their order, for as long as it takes. Nodes
 * share the work; what one that died had claimed, another takes over.
 */
export function createWebhook({ records, call, webhookRetryFor, onOutcome, log }: WebhookOptions) {
  const calls = new Map<Promise<void>, AbortController>()
  let timer: NodeJS.Timeout | undefined
  let claiming: Promise<void> | undefined
  let stopped = false
  let failing = false

  async function settle(
    delivery: Delivery,
    trouble: string | undefined,
  ): Promise<WebhookOutcome | undefined> {
    if (trouble === undefined) {
      await records.delivered(delivery)
      return 'delivered'
    }
    if (stopped) {
      await records.release(delivery)
      return undefined
    }
    const isDead = await records.failed(
      delivery,
      trouble,
      delayAfter(delivery.attempts),
      webhookRetryFor,
    )
    return isDead ? 'dead' : 'failed'
  }

  async function attempt(delivery: Delivery, { signal }: AbortController): Promise<void> {
    const trouble = await call(delivery, signal)
    try {
      const outcome = await settle(delivery, trouble)
      if (outcome) tell(delivery, outcome, trouble)
    } catch (error) {
      // The claim runs out, and the attempt is made again.
      report(error)
    }
  }

  function tell(
    { event: { id, type }, attempts }: Delivery,
    outcome: WebhookOutcome,
    reason?: string,
  ): void {
    onOutcome(outcome)
    const facts = { eventId: id, type, attempts, reason }
    if (outcome === 'dead')
      log.warn({ event: 'webhook_dead', ...facts }, 'the webhook never took an event')
    if (outcome === 'delivered' && failing)
      log.info({ event: 'webhook_back', ...facts }, 'the webhook answers')
    if (outcome === 'failed' && !failing)
      log.warn({ event: 'webhook_failed', ...facts }, 'the webhook does not take events: they wait')
    failing = outcome !== 'delivered'
  }

  /** That Postgres is away, whoever needed it has been told. */
  function report(error: unknown): void {
    if (error instanceof PawlError) return
    const reason = error instanceof Error ? error.message : 'unknown'
    log.warn({ event: 'webhook_broken', reason }, 'deliveries cannot be read or written')
  }

  function begin(delivery: Delivery): void {
    const controller = new AbortController()
    const limit = setTimeout(() => controller.abort(), CALL_LIMIT)
    const made = attempt(delivery, controller).finally(() => {
      clearTimeout(limit)
      calls.delete(made)
      // While it fails, no faster than the timer: a long queue must not be run through in vain.
      if (!failing) void claim()
    })
    calls.set(made, controller)
  }

  async function claimSome(): Promise<void> {
    const free = AT_ONCE - calls.size
    if (free <= 0 || stopped) return
    try {
      for (const delivery of await records.claim(free, LEASE)) begin(delivery)
    } catch (error) {
      report(error)
    }
  }

  function claim(): Promise<void> {
    claiming ??= claimSome().finally(() => {
      claiming = undefined
    })
    return claiming
  }

  async function giveUp(): Promise<void> {
    await claiming
    for (const controller of calls.values()) controller.abort()
    await Promise.all(calls.keys())
  }

  return {
    start(): void {
      timer = setInterval(claim, INTERVAL)
      timer.unref()
    },

    /** What is under way is given up, for another node or the next start. */
    async stop(): Promise<void> {
      stopped = true
      clearInterval(timer)
      // What cannot be given back in time, because Postgres is away, is taken over when its claim runs out.
      await withDeadline(giveUp(), STOP_LIMIT).catch(() => {})
    },
  }
}

/** With jitter, so that what failed together is not tried again together. */
function delayAfter(attempts: number): number {
  const full = Math.min(FIRST_DELAY * 2 ** (attempts - 1), LONGEST_DELAY)
  return Math.round(full * (0.5 + Math.random() / 2))
}
