/**
 * Time, as far as a decision rests on it. The clock of a node may be wrong or be set at any moment, so that nothing is
 * judged by it alone. All in milliseconds.
 */

/** The time of a server that all nodes share, carried on between its answers by monotonic time. */
export interface SharedClock {
  now(): number
  /** What the server said its time was, a moment ago: `now` is therefore never ahead of it. */
  observe(serverTime: number): void
}

export function createSharedClock(): SharedClock {
  let offset = Date.now() - performance.now()
  return {
    now: () => Math.floor(performance.now() + offset),
    observe(serverTime) {
      offset = serverTime - performance.now()
    },
  }
}

/** The time of this machine, for a node that is alone; it stands still while the machine's clock is set back. */
export function createSteadyClock(): () => number {
  let latest = 0
  return () => {
    latest = Math.max(latest, Date.now())
    return latest
  }
}

/**
 * Answers how long ago this was called, by whichever clock saw more time pass: the monotonic one stands still while the
 * machine sleeps, the other may be set back.
 */
export function startStopwatch(): () => number {
  const steady = performance.now()
  const wall = Date.now()
  return () => Math.max(performance.now() - steady, Date.now() - wall)
}
