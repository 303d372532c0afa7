export interface SingleFlight<T> {
  (): Promise<T>
  /** Returns the promise of the run in flight, if there is one. */
  inFlight(): Promise<T> | undefined
}

/**
 * Returns a function that runs `work` at most once at a time. A call that comes while a run is in
 * flight gets the promise of that run.
 */
export function singleFlight<T>(work: () => Promise<T>): SingleFlight<T> {
  let current: Promise<T> | undefined
  function run(): Promise<T> {
    current ??= work().finally(() => {
      current = undefined
    })
    return current
  }
  return Object.assign(run, { inFlight: () => current })
}
