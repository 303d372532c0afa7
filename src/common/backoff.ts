import { setTimeout as delay } from 'node:timers/promises'

/** Milliseconds. */
export interface Backoff {
  first: number
  longest: number
}

/** Returns the milliseconds to wait after the given number of failures: doubled with each one. */
export function backoffDelay(failures: number, { first, longest }: Backoff): number {
  return Math.min(first * 2 ** Math.max(0, failures - 1), longest)
}

/** Returns between half of the delay and all of it, so that what failed together retries apart. */
export function withJitter(ms: number): number {
  return Math.round(ms * (0.5 + Math.random() / 2))
}

export interface RetryOptions extends Backoff {
  /** Milliseconds after which the last error is thrown. */
  limit: number
  /** Returns false for an error that another attempt cannot repair. */
  isTemporary?: (error: unknown) => boolean
  /** For tests: `now` returns monotonic milliseconds, and `pause` waits for `ms` milliseconds. */
  timing?: { now(): number; pause(ms: number): Promise<unknown> }
}

const REAL_TIMING = { now: () => performance.now(), pause: delay }

/**
 * Runs `attempt` until it succeeds, and passes it the milliseconds that remain. Rejects with the
 * last error if another pause would reach the time limit.
 */
export async function retry<T>(
  attempt: (remaining: number) => Promise<T>,
  { limit, isTemporary = () => true, timing = REAL_TIMING, ...backoff }: RetryOptions,
): Promise<T> {
  const deadline = timing.now() + limit
  for (let failures = 1; ; failures++) {
    try {
      return await attempt(deadline - timing.now())
    } catch (error) {
      const pause = backoffDelay(failures, backoff)
      if (!isTemporary(error) || timing.now() + pause >= deadline) throw error
      await timing.pause(pause)
    }
  }
}
