import { setTimeout as delay } from 'node:timers/promises'

const LIMIT_MS = 20_000

/**
 * Polls until `isSo` resolves to true. An error counts as false. Rejects with a message that
 * contains `what` if this takes longer than 20 seconds.
 */
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
  throw new Error(`not true within ${LIMIT_MS} ms: ${what}`, { cause: last })
}
