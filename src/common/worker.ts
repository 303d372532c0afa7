import { singleFlight } from './single-flight.ts'

export interface Worker {
  /** Schedules the first run. */
  start(): void
  /** Runs now, or joins the run that is in flight. */
  run(): Promise<void>
  /** Schedules no further run and waits for the one in flight. */
  stop(): Promise<void>
}

export interface WorkerOptions {
  /** Milliseconds between two runs. */
  interval: number
  /** Milliseconds before the first run; `interval` by default. */
  firstDelay?: number
  /**
   * Does the work of one run. It may return the milliseconds until the next run, instead of
   * `interval`. It handles its own errors: one that it throws is an unhandled rejection.
   */
  work: () => Promise<number | undefined>
}

/** Creates a background worker: one run at a time, timers that do not keep the process alive. */
export function createWorker({ interval, firstDelay = interval, work }: WorkerOptions): Worker {
  let timer: NodeJS.Timeout | undefined
  let isStopped = false

  const run = singleFlight(async () => {
    clearTimeout(timer)
    schedule((await work()) ?? interval)
  })

  function schedule(ms: number): void {
    if (!isStopped) timer = setTimeout(run, ms).unref()
  }

  return {
    start: () => schedule(firstDelay),
    run,

    async stop() {
      isStopped = true
      clearTimeout(timer)
      await run.inFlight()
    },
  }
}
