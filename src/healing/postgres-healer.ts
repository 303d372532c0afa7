import { startStopwatch } from '../common/clocks.ts'
import { errorText } from '../common/error-text.ts'
import type { Log } from '../common/log.ts'
import { settlesWithin } from '../common/settles-within.ts'
import { createWorker } from '../common/worker.ts'
import type { RevocationFeed } from '../revocation/revocation-feed.ts'
import type { CounterMirror } from './counter-mirror.ts'
import type { LostRevocations, Restored } from './lost-revocations.ts'
import type { PostgresHistory } from './postgres-history.ts'

export interface PostgresHealerOptions {
  history: PostgresHistory
  mirror: CounterMirror
  lost: LostRevocations
  feed: Pick<RevocationFeed, 'history'>
  /** Returns the milliseconds that a revocation stays in the feed. */
  lifetime: () => number
  /** Called when Postgres went back in time, with the revocations that it had lost. */
  onWentBack: (restored: Restored, foundBy: 'counter' | 'comparison') => void
  log: Log
}

/** Milliseconds between two looks at the counter. */
const INTERVAL = 2_000
/** Milliseconds that a start waits for the first comparison. */
const START_WAIT = 3_000

/**
 * Creates the worker that finds out whether Postgres lost its last commits, by an asynchronous
 * fail-over or a restore, and revokes again in it what the feed still knows as revoked.
 *
 * Postgres and the feed are compared at the start, when the counter went back, after a promotion,
 * and a few times within the life of a revocation in any case.
 */
export function createPostgresHealer(options: PostgresHealerOptions) {
  const { history, mirror, lost, feed, lifetime, onWentBack, log } = options
  /** The highest counter that this node has seen. */
  let highest = 0
  let timeline: string | undefined
  let wentBack = false
  let isSuspected = true
  let sinceComparison = startStopwatch()
  let isInterrupted = false

  async function look(): Promise<void> {
    // Read before the counter in Postgres, which is therefore not behind unless it was lost.
    const expected = Math.max(highest, await mirror.read().catch(() => 0))
    const state = await history.advance(expected)
    if (state.before < expected) wentBack = true
    if (timeline !== undefined && state.timeline !== timeline) isSuspected = true
    timeline = state.timeline ?? timeline
    highest = Math.max(highest, state.counter)
    await mirror.raise(state.counter).catch(() => {})
  }

  async function compare(): Promise<void> {
    const restored: Restored = { sessions: 0, users: 0, everything: 0, keys: 0 }
    for await (const revocations of feed.history()) {
      const { sessions, users, everything, keys } = await lost.restore(revocations)
      restored.sessions += sessions
      restored.users += users
      restored.everything += everything
      restored.keys += keys
    }
    const isComplete = Object.values(restored).every((count) => count === 0)
    if (wentBack || !isComplete) {
      log.warn(
        { event: 'postgres_went_back', ...restored },
        'Postgres lost its last commits; the revocations among them are committed again',
      )
      onWentBack(restored, wentBack ? 'counter' : 'comparison')
    }
    wentBack = false
    isSuspected = false
    sinceComparison = startStopwatch()
  }

  async function run(): Promise<void> {
    await look()
    if (wentBack || isSuspected || sinceComparison() > lifetime() / 3) await compare()
  }

  const worker = createWorker({
    interval: INTERVAL,
    async work() {
      try {
        await run()
        isInterrupted = false
      } catch (error) {
        const facts = { event: 'comparison_failed', reason: errorText(error) }
        if (!isInterrupted) log.warn(facts, 'cannot compare Postgres with the feed of revocations')
        isInterrupted = true
      }
      return undefined
    },
  })

  return {
    /**
     * Resolves when Postgres has every revocation that the feed has, or after a few seconds: a
     * million of them take longer than a plugin may take to start. Until then, this node refuses
     * the sessions and tokens because it knows the entries of the feed.
     */
    async start(): Promise<void> {
      const comparison = run()
      if (await settlesWithin(comparison, START_WAIT)) worker.start()
      else comparison.catch(() => {}).finally(worker.start)
    },

    stop: worker.stop,
  }
}
