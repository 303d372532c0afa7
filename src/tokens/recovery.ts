import { revocationOf } from './ending.ts'
import type { Revocation } from './revocations.ts'
import type { EndedSession, SessionRecords } from './session-records.ts'
import type { SessionStore } from './session-store.ts'

/** Sessions that are closed at once. */
const AT_ONCE = 100
/** Milliseconds between two attempts to close what could not be closed. */
const RETRY_INTERVAL = 1_000

/**
 * Makes up for what the hot state and the feed may have lost. In a cluster a part of the hot state may be away: its
 * sessions are closed as soon as it is back, and do not keep the node from what it needs to know about all others.
 */
export function createRecovery(
  records: Pick<SessionRecords, 'endedWithin'>,
  store: Pick<SessionStore, 'close'>,
  lifetime: number,
) {
  let unclosed: EndedSession[] = []
  let timer: NodeJS.Timeout | undefined
  let stopped = false

  async function closeBatch(batch: EndedSession[]): Promise<EndedSession[]> {
    const results = await Promise.allSettled(
      batch.map(({ userId, sessionId }) => store.close(userId, sessionId)),
    )
    return batch.filter((_, index) => results[index]?.status === 'rejected')
  }

  /** Until one fails: it goes to the end of the line, so that it does not keep others waiting for ever. */
  async function close(): Promise<void> {
    clearTimeout(timer)
    let failed: EndedSession[] = []
    while (unclosed.length > 0 && failed.length === 0) failed = await closeBatch(unclosed.splice(0, AT_ONCE))
    unclosed.push(...failed)
    if (unclosed.length > 0 && !stopped) timer = setTimeout(close, RETRY_INTERVAL).unref()
  }

  return {
    /** Reads the revocations that still matter from the truth, and closes the hot state of their sessions again. */
    async recover(): Promise<Revocation[]> {
      const ended = await records.endedWithin(lifetime)
      unclosed = [...ended]
      await close()
      return ended.map(revocationOf)
    },

    stop(): void {
      stopped = true
      clearTimeout(timer)
    },
  }
}
