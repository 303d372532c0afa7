import type { Redis } from 'ioredis'
import { createSharedClock, type SharedClock, startStopwatch } from '../common/clocks.ts'
import type { RedisClient } from '../redis/client.ts'
import { openReader, readFromMaster } from '../redis/reader.ts'
import type { Era } from '../sessions/redis-era.ts'
import type { Recover } from './revocation-feed.ts'
import type { RevocationStream } from './revocation-stream.ts'
import type { Revocations } from './revocations.ts'
import { isBefore, NO_ENTRY, type StreamEntry, timeOf } from './stream-entry.ts'

export interface StreamFollowerOptions {
  redis: RedisClient
  stream: RevocationStream
  era: Pick<Era, 'markerKey' | 'marker' | 'confirm' | 'establish'>
  /** The follower sets it to the time of Redis. */
  serverClock: SharedClock
  known: Revocations
  recover: Recover
  /** Milliseconds that an entry matters: the longest life of an access token. */
  lifetime: () => number
  /** Milliseconds that a read waits for entries. */
  wait: number
}

/** Milliseconds that a read may take beyond its wait. */
const READ_TIMEOUT = 1_000
/**
 * Milliseconds before the last proof from which revocations are read again. A transaction may
 * commit some seconds after its time, and the clocks of servers differ.
 */
const MARGIN = 60_000

/**
 * Creates the reader of the stream of revocations. It knows since when its picture is complete.
 *
 * A read that returns nothing, or entries that continue the last one without a gap, proves that the
 * picture was complete when the read began. A new connection proves nothing: it may lead to a
 * server that never received the last entries. Nor does a stream that has lost entries. Then
 * `synchronise` makes the picture complete from Postgres, without writing to Redis.
 */
export function createStreamFollower(options: StreamFollowerOptions) {
  const { redis, stream, era, serverClock, known, recover, lifetime, wait } = options
  const redisClock = createSharedClock()
  let age = () => Number.POSITIVE_INFINITY
  let reader: Redis | undefined
  /** The id of the last entry that was read. */
  let position = NO_ENTRY
  /** The marker of the era at the last synchronisation: with another one, data were replaced. */
  let marker: string | null = null
  let isSynchronised = false
  /** Whether the stream has lost entries after `position`. */
  let hasGap = false

  function addEntries(entries: readonly StreamEntry[]): void {
    const now = redisClock.now()
    for (const { revocation, at } of entries)
      if (revocation) known.add(revocation, { age: now - at, isPublished: true })
  }

  /** Throws if the connection was closed, so that a long synchronisation does not go on. */
  function requireOpen(server: Redis): void {
    if (reader !== server) throw new Error('the connection was closed')
  }

  async function observeTime(server: Redis): Promise<void> {
    const askedAt = performance.now()
    const [seconds, microseconds] = await server.time()
    const time = Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000)
    redisClock.observe(time)
    serverClock.observe(time, askedAt)
  }

  async function observeMarker(server: Redis): Promise<string | null> {
    const value = await readFromMaster(server, era.markerKey)
    era.confirm(value)
    // A failure concerns refreshes alone. The next read tries again.
    if (era.marker() === undefined) era.establish().catch(() => {})
    return value
  }

  /** Returns the id of the last entry. An empty stream gets one, because it cannot show a gap. */
  async function findEnd(server: Redis): Promise<string> {
    const end = await stream.end(server)
    return end === NO_ENTRY ? stream.begin().catch(() => NO_ENTRY) : end
  }

  return {
    addEntries,

    /** Returns the milliseconds since the picture was last known to be complete. */
    age: (): number => age(),

    isSynchronised: (): boolean => isSynchronised && reader !== undefined,

    /**
     * Makes the picture complete from what Postgres has, and from what the stream has if it does
     * not continue at the last entry. Returns whether it continues there.
     */
    async synchronise(): Promise<'continued' | 'replaced'> {
      reader ??= await openReader(redis, era.markerKey, wait + READ_TIMEOUT)
      const server = reader
      const isContinued = !hasGap && position !== NO_ENTRY && (await stream.has(server, position))
      const end = isContinued ? position : await findEnd(server)
      // A revocation that is committed from now on arrives by the stream, after `end`.
      const sinceNow = startStopwatch()
      const [current] = await Promise.all([observeMarker(server), observeTime(server)])
      const missed = age()
      for await (const revocations of recover(Math.min(lifetime(), missed + MARGIN))) {
        requireOpen(server)
        for (const { revocation, age: since } of revocations) known.add(revocation, { age: since })
      }
      if (!isContinued) {
        const from = missed === Number.POSITIVE_INFINITY ? NO_ENTRY : before(position)
        for await (const entries of stream.history(server, from)) addEntries(entries)
      }
      requireOpen(server)
      position = end
      marker = current
      isSynchronised = true
      hasGap = false
      age = sinceNow
      return isContinued ? 'continued' : 'replaced'
    },

    /** Reads the next entries. Waits up to `ms` milliseconds for them. */
    async read(ms = wait): Promise<void> {
      const server = reader
      if (!server) return
      const sinceNow = startStopwatch()
      const batch = await stream.read(server, position, ms)
      addEntries(batch.entries)
      const [end, current] = await Promise.all([
        stream.end(server),
        observeMarker(server),
        observeTime(server),
      ])
      hasGap = !batch.isContinuous || isBefore(end, batch.position) || end === NO_ENTRY
      isSynchronised = !hasGap && current === marker
      if (hasGap) return
      position = batch.position
      // An empty read proves nothing alone: the entries after `position` may have been removed.
      const isProven = batch.isComplete && (batch.entries.length > 0 || end === position)
      if (isSynchronised && isProven) age = sinceNow
    },

    close(): void {
      reader?.disconnect()
      reader = undefined
      isSynchronised = false
    },
  }
}

/** Returns an id from which entries are read again that may have come before another server's. */
function before(position: string): string {
  return `${Math.max(0, timeOf(position) - MARGIN)}-0`
}
