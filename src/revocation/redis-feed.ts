import { backoffDelay, retry, withJitter } from '../common/backoff.ts'
import { errorText } from '../common/error-text.ts'
import type { Log } from '../common/log.ts'
import { settlesWithin } from '../common/settles-within.ts'
import { PawlError } from '../errors.ts'
import type { AwaitReply } from '../redis/await-reply.ts'
import { onConnectionChange } from '../redis/servers.ts'
import type { Era } from '../sessions/redis-era.ts'
import { createRepublisher } from './republisher.ts'
import type { RevocationFeed } from './revocation-feed.ts'
import { createRevocationStream } from './revocation-stream.ts'
import { createStreamFollower, type StreamFollowerOptions } from './stream-follower.ts'

export interface RedisFeedOptions extends Omit<StreamFollowerOptions, 'stream' | 'wait' | 'era'> {
  era: Era
  awaitReply: AwaitReply
  /** Milliseconds that this node may be behind before it responds with 503. */
  revocationMaxStaleness: number
  log: Log
  prefix?: string
}

/**
 * Milliseconds that a read waits for entries at most. It is also how long a lost entry may go
 * unnoticed, and how old the time of Redis may be.
 */
const MAX_WAIT = 500
/** Milliseconds between two attempts to read the stream again. */
const BACKOFF = { first: 100, longest: 1_000 }
/** Milliseconds to wait at start for a server that is not available yet. */
const START_TIMEOUT = 5_000
/**
 * Milliseconds that a start waits for the first synchronisation. A million revocations take longer
 * than a plugin may take to start. Until it has them, the node responds with 503.
 */
const START_WAIT = 3_000

/**
 * Creates a feed on a Redis stream, which every node reads on a connection of its own. What the
 * stream has lost is published again in the background, for nodes that cannot reach Postgres.
 */
export function createRedisFeed(options: RedisFeedOptions): RevocationFeed {
  const { redis, era, known, lifetime, revocationMaxStaleness, log, prefix } = options
  const stream = createRevocationStream(redis, lifetime, options.awaitReply, prefix)
  // A read must end well within the bound, because only a finished read proves something.
  const wait = Math.min(MAX_WAIT, Math.max(10, Math.floor(revocationMaxStaleness / 4)))
  const follower = createStreamFollower({ ...options, stream, wait })
  const { addEntries } = follower
  const republisher = createRepublisher({ stream, redis, known, addEntries, log })

  let reportProgress = () => {}
  /** Resolves if the first synchronisation takes long, but does not fail. */
  const progress = new Promise<void>((resolve) => {
    reportProgress = resolve
  })
  let failures = 0
  let isStopped = false
  let wake = () => {}
  let tailing: Promise<void> | undefined
  // A connection of the client shows that Redis is back, so the next attempt need not wait.
  const removeListeners = onConnectionChange(redis, ({ status }) => {
    if (status === 'ready') wake()
  })

  async function synchronise(): Promise<void> {
    const isStart = follower.age() === Number.POSITIVE_INFINITY
    if ((await follower.synchronise()) === 'continued') return
    if (!isStart)
      log.warn({ event: 'stream_replaced' }, 'the stream of revocations has lost entries')
    // At start the whole stream was read.
    republisher.request({ isCompared: isStart })
  }

  async function tail(): Promise<void> {
    while (!isStopped) {
      try {
        if (!follower.isSynchronised()) await synchronise()
        await follower.read()
        if (failures > 0) log.info({ event: 'feed_resumed' }, 'receiving revocations again')
        failures = 0
      } catch (error) {
        if (isStopped) return
        follower.close()
        failures += 1
        if (failures === 1) {
          const facts = { event: 'feed_interrupted', reason: reasonOf(error) }
          log.warn(facts, 'cannot receive revocations')
        }
        await pause(withJitter(backoffDelay(failures, BACKOFF)))
      }
    }
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  async function begin(): Promise<void> {
    try {
      await era.establish()
      const synchronisation = synchronise()
      if (!(await settlesWithin(synchronisation, START_WAIT))) reportProgress()
      await synchronisation
      // The stream and Postgres may have taken longer to read than the picture may be old.
      await follower.read(1)
    } catch (error) {
      follower.close()
      throw error
    }
  }

  return {
    async start() {
      const beginning = retry(begin, {
        ...BACKOFF,
        limit: START_TIMEOUT,
        isTemporary: () => !isStopped,
      })
      try {
        await Promise.race([beginning, progress])
      } catch (error) {
        throw new Error(`cannot receive revocations: ${reasonOf(error)}`)
      }
      republisher.start()
      tailing = beginning.catch(() => {}).then(tail)
    },

    async stop() {
      isStopped = true
      era.stop()
      removeListeners()
      follower.close()
      wake()
      await tailing
      // The connection that `tail` was opening meanwhile.
      follower.close()
      await republisher.stop()
    },

    async publish(revocations) {
      for (const revocation of revocations) known.add(revocation)
      await stream.append(revocations.map((revocation) => ({ revocation, age: 0 })))
    },

    async *history() {
      for await (const entries of stream.history(redis))
        yield entries.flatMap(({ revocation }) => revocation ?? [])
    },

    age: follower.age,
  }
}

/** Returns the cause behind an `AUTH_UNAVAILABLE`, or the text of any other error. */
function reasonOf(error: unknown): string {
  return errorText(error instanceof PawlError ? (error.cause ?? error.reason) : error)
}
