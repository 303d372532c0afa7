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
}

/** Runs `attempt` until it succeeds. Throws its last error when the time limit would pass. */
export async function retry<T>(
  attempt: (remaining: number) => Promise<T>,
  { limit, isTemporary = () => true, ...backoff }: RetryOptions,
): Promise<T> {
  const deadline = performance.now() + limit
  for (let failures = 1; ; failures++) {
    try {
      return await attempt(deadline - performance.now())
    } catch (error) {
      const pause = backoffDelay(failures, backoff)
      if (!isTemporary(error) || performance.now() + pause >= deadline) throw error
      await delay(pause)
    }
  }
}
