/** The part of the process that commands work with. */
export type Terminal = Pick<NodeJS.Process, 'env' | 'stdin' | 'stdout' | 'stderr'>

/** Characters. */
const BAR_WIDTH = 30

export interface Progress {
  update(done: number): void
  /** Removes the bar, so that the next output starts on an empty line. */
  clear(): void
}

/** Draws a progress bar of `total` steps, in place. It draws nothing unless a person watches. */
export function createProgress({ stderr }: Pick<Terminal, 'stderr'>, total: number): Progress {
  if (!stderr.isTTY) return { update() {}, clear() {} }
  return {
    update(done) {
      const filled = Math.floor((done / total) * BAR_WIDTH)
      const bar = '#'.repeat(filled).padEnd(BAR_WIDTH, '.')
      stderr.write(`\r[${bar}] ${done} of ${total}`)
    },
    clear() {
      stderr.write('\r\u001b[K')
    },
  }
}
