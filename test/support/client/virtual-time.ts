/** Returns numbers from 0 to 1 that depend on the seed alone (mulberry32). */
export function createRandom(seed: number) {
  let state = seed | 0
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  return {
    next,
    below: (limit: number) => Math.floor(next() * limit),
    chance: (probability: number) => next() < probability,
    pick: <T>(values: readonly T[]): T => values[Math.floor(next() * values.length)] as T,
  }
}

export type Random = ReturnType<typeof createRandom>

/** Creates a clock that jumps from timer to timer. Between two timers all promises settle. */
export function createVirtualTime() {
  const timers: { at: number; order: number; work: () => void }[] = []
  let now = 0
  let order = 0
  return {
    now: () => now,
    after(ms: number, work: () => void): void {
      timers.push({ at: now + Math.max(0, ms), order: order++, work })
    },
    /** Runs the timers in their order until none is left. */
    async run(): Promise<void> {
      for (let steps = 0; timers.length > 0; steps++) {
        if (steps > 20_000) throw new Error('the simulation does not end')
        timers.sort((one, other) => one.at - other.at || one.order - other.order)
        const timer = timers.shift()
        now = Math.max(now, timer?.at ?? now)
        timer?.work()
        await new Promise((resolve) => setImmediate(resolve))
      }
    },
  }
}

export type VirtualTime = ReturnType<typeof createVirtualTime>
