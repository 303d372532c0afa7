import type { Log } from '../common/log.ts'
import type {
  EndedSession,
  EndReason,
  ReuseEvent,
  SessionRecords,
} from '../sessions/session-records.ts'
import type { SessionStore } from '../sessions/session-store.ts'
import type { RevocationFeed } from './revocation-feed.ts'
import { type Ended, type RevocationRecords, revocationOf } from './revocation-records.ts'

/** Milliseconds between two sweeps, and that a revocation has before a sweep takes it for forgotten. */
const SWEEP_INTERVAL = 1_000
const FORGOTTEN_AFTER = 3_000
/** Sessions that are closed at once. */
const AT_ONCE = 100
/** Revocations that one sweep finishes. */
const MOST_SWEPT = 1_000

/** Thefts that are kept until Postgres is back. Of more, the next presentation of a token is put on record. */
const MOST_UNRECORDED = 1_000

interface Reuse {
  event: ReuseEvent
  at: number
}

export interface EndingOptions {
  records: Pick<SessionRecords, 'revoke' | 'revokeForReuse'>
  revocations: RevocationRecords
  store: SessionStore
  feed: RevocationFeed
  log: Log
}

export type Ending = ReturnType<typeof createEnding>

/**
 * How sessions end: the truth first, in Postgres; then the hot state, so that no refresh goes on, and the feed, so that
 * every node refuses the access tokens. Nothing is acknowledged before all three. What a process that died in between has
 * left half done, the sweep of any other finishes; every step may be repeated.
 */
export function createEnding({ records, revocations, store, feed, log }: EndingOptions) {
  /** Done, and not yet marked so in Postgres: that can wait for the next sweep. */
  let published: Ended[] = []
  /** Thefts that could not be put on record, or not be told of. */
  let unrecorded: Reuse[] = []
  let timer: NodeJS.Timeout | undefined
  let sweeping: Promise<void> | undefined

  async function finish(ended: readonly Ended[]): Promise<void> {
    // Side by side: where a part of a cluster is away, the nodes still hear of it.
    const steps = [closeAll(store, ended), feed.publish(ended.map(revocationOf))]
    const failed = (await Promise.allSettled(steps)).find((step) => step.status === 'rejected')
    if (failed) throw failed.reason
    published.push(...ended)
  }

  async function record({ event, at }: Reuse): Promise<void> {
    await records.revokeForReuse(event, at)
    await finish([{ kind: 'session', ...event }])
  }

  async function recordLate(): Promise<void> {
    for (const reuse of [...unrecorded]) {
      await record(reuse)
      unrecorded = unrecorded.filter((other) => other !== reuse)
    }
  }

  async function mark(): Promise<void> {
    const marked = [...published]
    if (marked.length === 0) return
    await revocations.markPublished(marked)
    published = published.slice(marked.length)
  }

  async function sweep(): Promise<void> {
    try {
      await recordLate()
      await mark()
      const forgotten = await revocations.unpublished(FORGOTTEN_AFTER, MOST_SWEPT)
      if (forgotten.length === 0) return
      log.warn(
        { event: 'revocations_swept', revocations: forgotten.length },
        'finishing what another process began',
      )
      await finish(forgotten)
      await mark()
    } catch {
      // A store is away, and has said so to whoever needed it. The next sweep tries again.
    }
  }

  return {
    /** Tell every node of sessions that Postgres knows are dead. */
    tell: (ids: readonly string[]) =>
      feed.publish(ids.map((sessionId) => ({ kind: 'session', sessionId }))),

    async end(sessions: readonly EndedSession[], reason: EndReason): Promise<void> {
      const ids = sessions.map(({ sessionId }) => sessionId)
      await records.revoke(ids, reason)
      await finish(sessions.map((session) => ({ kind: 'session', ...session })))
    },

    /** What is committed in Postgres already. */
    finish: (ended: Ended) => finish([ended]),

    /**
     * The hot state has condemned the session. Postgres first, since what nodes have only heard of may be forgotten with the
     * hot state; where that fails, they are told at least, and it is put on record as soon as that can be done.
     */
    async endForReuse(event: ReuseEvent, at: number): Promise<void> {
      try {
        await record({ event, at })
      } catch (error) {
        if (unrecorded.length < MOST_UNRECORDED) unrecorded.push({ event, at })
        await feed.publish([{ kind: 'session', sessionId: event.sessionId }])
        throw error
      }
    },

    start(): void {
      timer = setInterval(() => {
        sweeping ??= sweep().finally(() => {
          sweeping = undefined
        })
      }, SWEEP_INTERVAL)
      timer.unref()
    },

    async stop(): Promise<void> {
      clearInterval(timer)
      await sweeping
      await mark().catch(() => {})
    },
  }
}

/** In the hot state, a bounded number at once. */
async function closeAll(store: SessionStore, ended: readonly Ended[]): Promise<void> {
  for (let start = 0; start < ended.length; start += AT_ONCE)
    await Promise.all(ended.slice(start, start + AT_ONCE).map((one) => close(store, one)))
}

async function close(store: SessionStore, ended: Ended): Promise<void> {
  switch (ended.kind) {
    case 'session':
      return store.close(ended.userId, ended.sessionId)
    case 'user':
      if (ended.sessionsEnded) await store.closeAll(ended.userId, ended.except)
      return store.authorize(ended.userId, ended.authorization)
    case 'everything':
      return store.forgetAll()
  }
}
