/**
 * Returns whether the promise is fulfilled within this many milliseconds. Rejects if it is rejected
 * within them. The caller has to handle a later rejection.
 */
export async function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, ms, false)
  })
  try {
    return await Promise.race([promise.then(() => true), deadline])
  } finally {
    clearTimeout(timer)
  }
}
