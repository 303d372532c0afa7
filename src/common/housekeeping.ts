import type { Log } from './log.ts'

/** Milliseconds between two rounds, and between two statements of one. */
const INTERVAL = 600_000
const PAUSE = 100

/** Deletes a bounded number of rows that are too old; answers how many. */
export type Chore = () => Promise<number>

/** Deletes what is too old, a little at a time. Every node does; they leave each other's rows alone. */
export function createHousekeeping(chores: readonly Chore[], log: Log) {
  let timer: NodeJS.Timeout | undefined
  let working: Promise<void> | undefined
  let stopped = false

  async function clean(): Promise<boolean> {
    let deleted = 0
    for (const chore of chores) deleted += await chore()
    return deleted > 0
  }

  async function turn(): Promise<void> {
    const more = await clean().catch((error: unknown) => {
      // The next round will do.
      const reason = error instanceof Error ? error.message : 'unknown'
      log.warn({ event: 'retention_failed', reason }, 'old rows could not be deleted')
      return false
    })
    if (!stopped) timer = setTimeout(begin, more ? PAUSE : INTERVAL).unref()
  }

  function begin(): void {
    working = turn()
  }

  return {
    start: begin,

    async stop(): Promise<void> {
      stopped = true
      clearTimeout(timer)
      await working
    },
  }
}
