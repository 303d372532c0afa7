export interface TestClock {
  (): number
  /** Moves the clock by this many milliseconds, back if they are negative. */
  advance(ms: number): void
}

/** Returns a clock that stands still until the test advances it. */
export function createClock(start = Date.now()): TestClock {
  let now = start
  return Object.assign(() => now, {
    advance: (ms: number) => {
      now += ms
    },
  })
}
