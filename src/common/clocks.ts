/**
 * The clocks that decisions rest on. The clock of a node may be wrong, or may be set at any moment,
 * so no decision rests on it alone. All times are in milliseconds.
 */

/** The time of a server that all nodes share, carried on by monotonic time between its replies. */
export interface SharedClock {
  now(): number
  /** Sets the clock to a time that the server reported a moment ago: `now` is never ahead of it. */
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

/**
 * Creates the clock of a node that is alone: the time of this machine, which stands still while it
 * is behind an earlier reading.
 */
export function createSteadyClock(): () => number {
  let latest = 0
  return () => {
    latest = Math.max(latest, Date.now())
    return latest
  }
}

/**
 * Returns a function that returns the time since this call, by the clock that saw more of it pass:
 * the monotonic one stands still while the machine sleeps, and the other one may be set back.
 */
export function startStopwatch(): () => number {
  const steady = performance.now()
  const wall = Date.now()
  return () => Math.max(performance.now() - steady, Date.now() - wall)
}
