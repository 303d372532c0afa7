import { setTimeout as delay } from 'node:timers/promises'

const LIMIT_MS = 20_000

/** Ask again and again; rejects where that takes too long, saying what was waited for. An error is a no. */
export async function untilTrue(isSo: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + LIMIT_MS
  let last: unknown
  while (performance.now() < deadline) {
    if (
      await isSo().catch((error) => {
        last = error
        return false
      })
    )
      return
    await delay(20)
  }
  throw new Error(`not in ${LIMIT_MS} ms: ${what}`, { cause: last })
}
