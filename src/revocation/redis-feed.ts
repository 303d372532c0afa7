import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { type SharedClock, startStopwatch } from '../common/clocks.ts'
import type { Log } from '../common/log.ts'
import { PawlError } from '../errors.ts'
import { awaitReply } from '../redis/await-reply.ts'
import type { RedisClient } from '../redis/client.ts'
import { openReader } from '../redis/reader.ts'
import { createScript } from '../redis/script.ts'
import type { Era } from '../sessions/redis-era.ts'
import type { Recover, RevocationFeed } from './revocation-feed.ts'
import type { Revocation, Revocations } from './revocations.ts'

export interface RedisFeedOptions {
  redis: RedisClient
  era: Era
  /** Is kept right by what Redis says. */
  serverClock: SharedClock
  known: Revocations
  recover: Recover
  /** Milliseconds that an entry matters: the longest life of an access token. */
  lifetime: number
  /** Milliseconds that this node may be behind before it stops answering. */
  revocationMaxStaleness: number
  log: Log
  prefix?: string
}

/** Milliseconds that a read waits for entries: an emptied stream is noticed as soon, and the time is as good. */
const LONGEST_WAIT = 500
/** Entries in one read; where that many came there may be more, and nothing is proven yet. */
const BATCH = 1_000
/** Milliseconds between two attempts to get back to Redis. */
const RETRY_INTERVAL = 100
/** Milliseconds to wait at start for a server that is not there yet. */
const START_LIMIT = 5_000

type Entries = [stream: string, entries: [id: string, fields: string[]][]][] | null

/**
 * A stream that every node tails on a connection of its own. A read that comes back empty-handed proves that nothing was
 * missed until it began. After a new connection nothing is proven: it may lead to a server that never saw the last
 * entries, so the node first reads the recent revocations from Postgres, and publishes them again for whoever has no
 * Postgres to read. The marker of the era, beside the stream, tells a stream that was emptied under a living connection.
 */
export function createRedisFeed(options: RedisFeedOptions): RevocationFeed {
  const {
    redis,
    era,
    serverClock,
    known,
    recover,
    lifetime,
    revocationMaxStaleness,
    log,
    prefix = 'pawl:',
  } = options
  const stream = `{${prefix}revocations}`
  // The wait must end well within the bound: only what is finished proves something.
  const wait = Math.min(LONGEST_WAIT, Math.max(10, Math.floor(revocationMaxStaleness / 4)))

  const append = createScript(redis, new URL('./lua/publish.lua', import.meta.url))

  /** Milliseconds since what this node knew was certainly complete. */
  let age = () => Number.POSITIVE_INFINITY
  let reader: Redis | undefined
  let position = '0-0'
  /** The marker of the era in which this node last read the truth. */
  let synchronisedIn: string | undefined
  let stopped = false
  let interrupted = false
  let tailing: Promise<void> | undefined

  async function publish(revocations: readonly Revocation[]): Promise<void> {
    for (const revocation of revocations) known.add(revocation)
    for (let start = 0; start < revocations.length; start += BATCH) {
      const entries = revocations
        .slice(start, start + BATCH)
        .map((revocation) => JSON.stringify(revocation))
      await awaitReply(append(stream, lifetime, ...entries))
    }
  }

  const isSynchronised = () => synchronisedIn !== undefined && synchronisedIn === era.marker()

  async function synchronise(): Promise<void> {
    await era.establish()
    const marker = era.marker()
    reader ??= await openReader(redis, era.markerKey, wait + 1_000)
    const [last] = await reader.xrevrange(stream, '+', '-', 'COUNT', 1)
    position = last?.[0] ?? '0-0'
    // Whatever is committed after this moment comes by the stream, behind `position`.
    const sinceBegun = startStopwatch()
    await tellTime(reader)
    await publish(await recover(lifetime))
    synchronisedIn = marker
    age = sinceBegun
  }

  async function tellTime(from: Redis): Promise<void> {
    const [seconds, microseconds] = await from.time()
    serverClock.observe(Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000))
  }

  async function read(from: Redis): Promise<void> {
    const sinceBegun = startStopwatch()
    const reply = (await from.xread(
      'COUNT',
      BATCH,
      'BLOCK',
      wait,
      'STREAMS',
      stream,
      position,
    )) as Entries
    const entries = reply?.[0]?.[1] ?? []
    for (const [id, fields] of entries) {
      position = id
      const revocation = parse(fields[1])
      if (revocation) known.add(revocation)
    }
    // A GET that counts as a write, and changes nothing: a master that was replaced, and now hears of nothing, refuses it
    // once it is a replica (READONLY), or before where it knows that its replicas have left it (min-replicas-to-write).
    const [marker] = await Promise.all([from.getex(era.markerKey, 'PERSIST'), tellTime(from)])
    era.confirm(marker)
    if (isSynchronised() && entries.length < BATCH) age = sinceBegun
  }

  async function tail(): Promise<void> {
    while (!stopped) {
      try {
        if (!isSynchronised() || !reader) await synchronise()
        if (reader) await read(reader)
        if (interrupted) log.info({ event: 'feed_resumed' }, 'hearing of revocations again')
        interrupted = false
      } catch (error) {
        if (stopped) return
        reader?.disconnect()
        reader = undefined
        const reason = reasonOf(error)
        if (!interrupted)
          log.warn({ event: 'feed_interrupted', reason }, 'cannot hear of revocations')
        interrupted = true
        await delay(RETRY_INTERVAL)
      }
    }
  }

  return {
    async start() {
      const sinceBegun = startStopwatch()
      while (age() === Number.POSITIVE_INFINITY) {
        try {
          await synchronise()
        } catch (error) {
          reader?.disconnect()
          reader = undefined
          if (sinceBegun() > START_LIMIT)
            throw new Error(`the feed of revocations: ${reasonOf(error)}`)
          await delay(RETRY_INTERVAL)
        }
      }
      tailing = tail()
    },

    async stop() {
      stopped = true
      era.stop()
      reader?.disconnect()
      await tailing
      // One that was being opened meanwhile.
      reader?.disconnect()
    },

    publish,

    age: () => age(),
  }
}

/** What went wrong, rather than that nothing can be decided. */
function reasonOf(error: unknown): string {
  const cause = error instanceof PawlError ? (error.cause ?? error.reason) : error
  return cause instanceof Error ? cause.message : String(cause)
}

/** Undefined for what a later version may have written. */
function parse(text: string | undefined): Revocation | undefined {
  try {
    const { kind, ...rest } = JSON.parse(text ?? '')
    return ['session', 'user', 'everything', 'key'].includes(kind) ? { kind, ...rest } : undefined
  } catch {
    return undefined
  }
}
