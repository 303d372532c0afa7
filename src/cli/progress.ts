const WIDTH = 30

export interface Progress {
  update(done: number): void
  /** Takes the bar away, so that what is printed next has the line for itself. */
  clear(): void
}

/** A bar that is redrawn in place, of `total` steps; nothing at all where nobody watches. */
export function createProgress(stream: NodeJS.WriteStream, total: number): Progress {
  if (!stream.isTTY) return { update() {}, clear() {} }
  return {
    update(done) {
      const filled = Math.floor((done / total) * WIDTH)
      stream.write(`\r[${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${done} of ${total}`)
    },
    clear() {
      stream.write('\r\u001b[K')
    },
  }
}
