/**
 * The clocks that decisions rest on. The clock of a node may be wrong, or may be set at any moment,
 * so no decision rests on it alone. All times are in milliseconds.
 */

/**
 * Milliseconds by which a clock may go back unnoticed. Clocks are corrected by less than that all
 * the time, and monotonic time is not exact either.
 */
export const CLOCK_TOLERANCE = 1_000

/** A clock that notices when it is set back. */
export interface WatchedClock {
  now(): number
  /** Returns the reading after which the clock was not set back: the first one, or a later one. */
  steadySince(): number
  /** Returns how often the clock was set back since it was first read. */
  timesSetBack(): number
  /** Returns how far it is behind its latest reading, or 0 if that is no more than tolerated. */
  lag(): number
  /**
   * Returns monotonic time that goes back whenever this clock is set back, and that does not jump
   * ahead with it. What is kept for a while by this time is kept at least as long by the clock.
   */
  keepingTime(): number
}

/** The time of a server that all nodes share, carried on by monotonic time between its replies. */
export interface SharedClock extends WatchedClock {
  /**
   * Sets the clock to a time that the server reported a moment ago: `now` is never ahead of it.
   * `askedAt` is the monotonic time before the request for it was sent. Without that, a reply that
   * was delayed cannot be told from a clock that was set back, so no such step is noticed.
   */
  observe(serverTime: number, askedAt?: number): void
}

/** Creates a clock that shows `initial` until the server has reported its time. */
export function createSharedClock(initial = Date.now()): SharedClock {
  let offset = initial - performance.now()
  let steadySince = initial
  let latest = Number.NEGATIVE_INFINITY
  let timesSetBack = 0
  let setBackBy = 0
  let isObserved = false
  const now = () => Math.floor(performance.now() + offset)
  return {
    now,
    steadySince: () => steadySince,
    timesSetBack: () => timesSetBack,
    lag: () => toleratedAsZero(latest - now()),
    keepingTime: () => performance.now() - setBackBy,
    observe(serverTime, askedAt) {
      if (isObserved) {
        latest = Math.max(latest, now())
        const isSetBack = askedAt !== undefined && serverTime - askedAt < offset - CLOCK_TOLERANCE
        if (isSetBack) {
          setBackBy += offset - (serverTime - performance.now())
          steadySince = serverTime
          timesSetBack++
        }
      } else steadySince = serverTime
      isObserved = true
      offset = serverTime - performance.now()
    },
  }
}

function toleratedAsZero(ms: number): number {
  return ms > CLOCK_TOLERANCE ? ms : 0
}

/** Creates the clock of a node that is alone: the time of this machine. */
export function createMachineClock(): WatchedClock {
  const clock = createSharedClock()
  return {
    ...clock,
    now() {
      clock.observe(Date.now(), performance.now())
      return clock.now()
    },
  }
}

/** For tests: watches a clock that has nothing to do with monotonic time. */
export function watchClock(read: () => number): SharedClock {
  let last = read()
  let [steadySince, latest] = [last, last]
  let [timesSetBack, setBackBy] = [0, 0]
  function now(): number {
    const reading = read()
    if (reading < last - CLOCK_TOLERANCE) {
      setBackBy += last - reading
      steadySince = reading
      timesSetBack++
    }
    last = reading
    latest = Math.max(latest, reading)
    return reading
  }
  return {
    now,
    steadySince: () => steadySince,
    timesSetBack: () => timesSetBack,
    lag: () => toleratedAsZero(latest - now()),
    keepingTime: () => performance.now() - setBackBy,
    observe: now,
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
