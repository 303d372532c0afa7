import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { retry } from '../common/backoff.ts'
import { type SharedClock, startStopwatch } from '../common/clocks.ts'
import { errorText } from '../common/error-text.ts'
import type { Log } from '../common/log.ts'
import { PawlError } from '../errors.ts'
import type { RedisClient } from '../redis/client.ts'
import { openReader } from '../redis/reader.ts'
import type { Era } from '../sessions/redis-era.ts'
import type { Recover, RevocationFeed } from './revocation-feed.ts'
import { createRevocationStream } from './revocation-stream.ts'
import type { Revocation, Revocations } from './revocations.ts'
import { isBefore, NO_ENTRY } from './stream-entry.ts'

export interface RedisFeedOptions {
  redis: RedisClient
  era: Era
  /** The feed sets it to the time of Redis. */
  serverClock: SharedClock
  known: Revocations
  recover: Recover
  /** Milliseconds that an entry matters: the longest life of an access token. */
  lifetime: () => number
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
/** Milliseconds between two attempts to connect to Redis again. */
const RETRY_INTERVAL = 100
/** Milliseconds to wait at start for a server that is not available yet. */
const START_TIMEOUT = 5_000

/**
 * Creates a feed on a Redis stream, which every node reads on a connection of its own. A read that
 * returns nothing proves that the node missed nothing until the read began.
 *
 * A new connection proves nothing: it may lead to a server that never received the last entries.
 * So the node first reads the recent revocations from Postgres. It also publishes them again, for
 * nodes that cannot reach Postgres. It does the same when a gap in the stream, or its last entry,
 * shows that entries were lost while the connection lived on.
 */
export function createRedisFeed(options: RedisFeedOptions): RevocationFeed {
  const { redis, era, serverClock, known, recover, lifetime, log, prefix } = options
  const stream = createRevocationStream(redis, lifetime, prefix)
  // A read must end well within the bound, because only a finished read proves something.
  const wait = Math.min(MAX_WAIT, Math.max(10, Math.floor(options.revocationMaxStaleness / 4)))

  let age = () => Number.POSITIVE_INFINITY
  let reader: Redis | undefined
  /** The id of the last entry that this node has read. */
  let position = '0-0'
  /** The marker of the era in which this node last read the revocations from Postgres. */
  let synchronisedIn: string | undefined
  let isStopped = false
  let isInterrupted = false
  let tailing: Promise<void> | undefined

  async function publish(revocations: readonly Revocation[]): Promise<void> {
    for (const revocation of revocations) known.add(revocation)
    await stream.append(revocations)
  }

  const isSynchronised = () => synchronisedIn !== undefined && synchronisedIn === era.marker()

  async function synchronise(): Promise<void> {
    await era.establish()
    const marker = era.marker()
    reader ??= await openReader(redis, era.markerKey, wait + 1_000)
    position = await stream.end(reader)
    // An empty stream cannot show that entries were removed, so it gets a first one.
    if (position === NO_ENTRY) position = await stream.begin()
    // A revocation that is committed from now on arrives by the stream, after `position`.
    const sinceNow = startStopwatch()
    await setServerClock(reader)
    await publish(await recover(lifetime()))
    synchronisedIn = marker
    age = sinceNow
  }

  async function setServerClock(server: Redis): Promise<void> {
    const askedAt = performance.now()
    const [seconds, microseconds] = await server.time()
    serverClock.observe(Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000), askedAt)
  }

  async function read(server: Redis): Promise<void> {
    const sinceNow = startStopwatch()
    const batch = await stream.read(server, position, wait)
    for (const { revocation } of batch.entries) if (revocation) known.add(revocation)
    // GETEX with PERSIST counts as a write, and changes nothing. A master that was replaced, and
    // receives no more entries, refuses it: as a replica (READONLY), or before that if it knows
    // that its replicas have left it (min-replicas-to-write).
    const [end, marker] = await Promise.all([
      stream.end(server),
      server.getex(era.markerKey, 'PERSIST'),
      setServerClock(server),
    ])
    era.confirm(marker)
    if (!batch.isContinuous || isBefore(end, batch.position) || end === NO_ENTRY) {
      synchronisedIn = undefined
      return
    }
    position = batch.position
    // An empty read proves nothing alone: the entries after `position` may have been removed.
    const isProven = batch.isComplete && (batch.entries.length > 0 || end === position)
    if (isSynchronised() && isProven) age = sinceNow
  }

  function closeReader(): void {
    reader?.disconnect()
    reader = undefined
  }

  async function tail(): Promise<void> {
    while (!isStopped) {
      try {
        if (!isSynchronised() || !reader) await synchronise()
        if (reader) await read(reader)
        if (isInterrupted) log.info({ event: 'feed_resumed' }, 'receiving revocations again')
        isInterrupted = false
      } catch (error) {
        if (isStopped) return
        closeReader()
        if (!isInterrupted) {
          const facts = { event: 'feed_interrupted', reason: reasonOf(error) }
          log.warn(facts, 'cannot receive revocations')
        }
        isInterrupted = true
        await delay(RETRY_INTERVAL)
      }
    }
  }

  async function synchroniseAfresh(): Promise<void> {
    try {
      await synchronise()
    } catch (error) {
      closeReader()
      throw error
    }
  }

  return {
    async start() {
      const pauses = { first: RETRY_INTERVAL, longest: RETRY_INTERVAL }
      try {
        await retry(synchroniseAfresh, { ...pauses, limit: START_TIMEOUT })
      } catch (error) {
        throw new Error(`cannot receive revocations: ${reasonOf(error)}`)
      }
      tailing = tail()
    },

    async stop() {
      isStopped = true
      era.stop()
      reader?.disconnect()
      await tailing
      // The connection that `tail` was opening meanwhile.
      reader?.disconnect()
    },

    publish,

    async *history() {
      for await (const entries of stream.history())
        yield entries.flatMap(({ revocation }) => revocation ?? [])
    },

    age: () => age(),
  }
}

/** Returns the cause behind an `AUTH_UNAVAILABLE`, or the text of any other error. */
function reasonOf(error: unknown): string {
  return errorText(error instanceof PawlError ? (error.cause ?? error.reason) : error)
}
