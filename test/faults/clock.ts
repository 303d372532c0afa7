/**
 * A clock that the harness can set, for the whole process. It is imported first, so that all code
 * reads the time from here. Monotonic time (`performance.now`, timers) continues unchanged, as it
 * does when the clock of a machine is set.
 */
const RealDate = Date
let offset = 0

class ShiftedDate extends RealDate {
  constructor(...given: unknown[]) {
    super(...((given.length === 0 ? [ShiftedDate.now()] : given) as [number]))
  }

  static override now(): number {
    return RealDate.now() + offset
  }
}

globalThis.Date = ShiftedDate as DateConstructor

process.on('message', (message: { offset?: number }) => {
  if (message.offset !== undefined) offset = message.offset
})
