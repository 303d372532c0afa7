import { withDeadline } from '../db/database.ts'
import { PawlError } from '../errors.ts'
import { type Backoff, backoffDelay, withJitter } from './backoff.ts'
import { errorText } from './error-text.ts'
import type { Log } from './log.ts'
import { createWorker } from './worker.ts'

/** Milliseconds between two polls. */
const INTERVAL = 1_000
/** Milliseconds that aborting the attempts may take when the process stops. */
const STOP_LIMIT = 5_000

/** What came of an attempt. A permanent failure is not tried again. */
export type AttemptResult =
  | { outcome: 'delivered' }
  | { outcome: 'dropped' }
  | { outcome: 'failed'; reason: string; isPermanent?: boolean }

export type AttemptOutcome = AttemptResult['outcome'] | 'dead'

/** The rows that one claim at a time may send. */
interface Outbox<T> {
  /** Claims up to `count` items. After `lease` milliseconds another node may claim them. */
  claim(count: number, lease: number): Promise<T[]>
  /** Removes an item that is done, even if another node has claimed it. */
  complete(item: T): Promise<void>
  /**
   * Stores why an attempt failed, and schedules the next one in `delay` milliseconds, or none if
   * `delay` is undefined. Returns whether the item is dead.
   */
  fail(item: T, reason: string, delay: number | undefined): Promise<boolean>
  /** Releases a claim whose attempt was aborted, so that any node can claim it at once. */
  release(item: T): Promise<void>
}

export interface OutboxWorkerOptions<T> {
  outbox: Outbox<T>
  /** Makes one attempt. It rejects only if the database cannot be read or written. */
  send: (item: T, signal: AbortSignal) => Promise<AttemptResult>
  /** Milliseconds within which an attempt must be over, or it is aborted. */
  sendLimit: number
  /** Attempts in flight at once. */
  concurrency: number
  /** The delay before a retry, with jitter so that what failed together is not retried together. */
  backoff: Backoff
  onOutcome: (outcome: AttemptOutcome) => void
  /** The facts of an item for the log, and the events and texts of the lines. */
  lines: {
    prefix: string
    facts: (item: T) => object
    dead: string
    back: string
    failed: string
    broken: string
  }
  log: Log
}

/**
 * Creates the worker that sends what is in an outbox: each item at least once. The nodes share the
 * work. If one dies, another takes over its items.
 */
export function createOutboxWorker<T extends { attempts: number }>({
  outbox,
  send,
  sendLimit,
  concurrency,
  backoff,
  onOutcome,
  lines,
  log,
}: OutboxWorkerOptions<T>) {
  // An attempt, and the statement that stores its outcome, are over by then.
  const lease = sendLimit + 10_000
  const inFlight = new Map<Promise<void>, AbortController>()
  const poller = createWorker({ interval: INTERVAL, work: claim })
  let isStopped = false
  let isFailing = false

  async function claim(): Promise<undefined> {
    const free = concurrency - inFlight.size
    if (free <= 0 || isStopped) return
    try {
      for (const item of await outbox.claim(free, lease)) startAttempt(item)
    } catch (error) {
      logDatabaseError(error)
    }
  }

  function startAttempt(item: T): void {
    const controller = new AbortController()
    const limit = setTimeout(() => controller.abort(), sendLimit)
    const attempt = deliver(item, controller.signal).finally(() => {
      clearTimeout(limit)
      inFlight.delete(attempt)
      // While the receiver fails, only the timer claims more: a long queue is not tried in vain.
      if (!isFailing) void poller.run()
    })
    inFlight.set(attempt, controller)
  }

  async function deliver(item: T, signal: AbortSignal): Promise<void> {
    try {
      const result = await send(item, signal)
      const outcome = await storeOutcome(item, result)
      if (outcome) reportOutcome(item, outcome, result)
    } catch (error) {
      // The lease expires, and the attempt is made again.
      logDatabaseError(error)
    }
  }

  /** Stores the outcome of an attempt. Returns nothing if the attempt was aborted by `stop`. */
  async function storeOutcome(item: T, result: AttemptResult): Promise<AttemptOutcome | undefined> {
    if (result.outcome !== 'failed') {
      await outbox.complete(item)
      return result.outcome
    }
    if (isStopped) {
      await outbox.release(item)
      return undefined
    }
    const delay = result.isPermanent ? undefined : withJitter(backoffDelay(item.attempts, backoff))
    return (await outbox.fail(item, result.reason, delay)) ? 'dead' : 'failed'
  }

  function reportOutcome(item: T, outcome: AttemptOutcome, result: AttemptResult): void {
    onOutcome(outcome)
    const reason = result.outcome === 'failed' ? result.reason : undefined
    const facts = { ...lines.facts(item), attempts: item.attempts, reason }
    if (outcome === 'dead') log.warn({ event: `${lines.prefix}_dead`, ...facts }, lines.dead)
    if (outcome === 'delivered' && isFailing)
      log.info({ event: `${lines.prefix}_back`, ...facts }, lines.back)
    if (outcome === 'failed' && !isFailing)
      log.warn({ event: `${lines.prefix}_failed`, ...facts }, lines.failed)
    // A permanent failure is about the item, not about the receiver.
    if (outcome === 'dropped' || (result.outcome === 'failed' && result.isPermanent)) return
    isFailing = outcome !== 'delivered'
  }

  function logDatabaseError(error: unknown): void {
    // An outage of Postgres is logged elsewhere, by everything that needs it.
    if (error instanceof PawlError) return
    log.warn({ event: `${lines.prefix}_broken`, reason: errorText(error) }, lines.broken)
  }

  async function abortAttempts(): Promise<void> {
    await poller.stop()
    for (const controller of inFlight.values()) controller.abort()
    await Promise.all(inFlight.keys())
  }

  return {
    start: () => poller.start(),

    /** Looks for items now, instead of at the next poll. Returns at once. */
    wake(): void {
      if (!isStopped) void poller.run()
    },

    /** Aborts the attempts in flight and releases their claims to other nodes. */
    async stop(): Promise<void> {
      isStopped = true
      // If Postgres is unavailable, claims cannot be released in time. Then their leases expire.
      await withDeadline(abortAttempts(), STOP_LIMIT).catch(() => {})
    },
  }
}
