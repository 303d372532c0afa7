/**
 * A clock that the harness can set, for the whole process: imported first, so that whoever reads the time gets it from
 * here. Monotonic time (`performance.now`, timers) goes on as it was, as it does when a machine's clock is changed.
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
