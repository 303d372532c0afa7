/**
 * Returns a function that runs `work` at most once at a time. A call that comes while a run is in
 * flight gets the promise of that run.
 */
export function singleFlight<T>(work: () => Promise<T>): () => Promise<T> {
  let inFlight: Promise<T> | undefined
  return () => {
    inFlight ??= work().finally(() => {
      inFlight = undefined
    })
    return inFlight
  }
}
