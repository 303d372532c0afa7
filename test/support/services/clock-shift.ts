import { spawnSync } from 'node:child_process'
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './sources.ts'

/** A clock of other processes that can be shifted while they run. */
export interface ShiftedClock {
  /** The environment of those processes. */
  env: NodeJS.ProcessEnv
  /** Shifts the clock by this many seconds from the right time. */
  shift(seconds: number): void
  close(): void
}

/** Creates a clock, with its files in `folder`. Returns undefined if there is no C compiler. */
export function createShiftedClock(folder: string): ShiftedClock | undefined {
  const library = join(folder, 'clock-shift.so')
  const source = join(ROOT, 'test/support/services/clock-shift.c')
  const flags = ['-O2', '-shared', '-fPIC', '-o', library, source, '-ldl']
  if (process.platform !== 'linux' || spawnSync('cc', flags).status !== 0) return undefined
  const path = join(folder, 'clock-shift')
  const file = openSync(path, 'w+')
  ftruncateSync(file, 8)
  return {
    env: { LD_PRELOAD: library, CLOCK_SHIFT_FILE: path },
    shift(seconds) {
      const data = Buffer.alloc(8)
      data.writeBigInt64LE(BigInt(seconds))
      writeSync(file, data, 0, 8, 0)
    },
    close: () => closeSync(file),
  }
}
