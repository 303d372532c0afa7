import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { Log } from '../log.ts'
import { answer } from '../redis/answer.ts'
import type { RedisClient } from '../redis/client.ts'
import { onNewConnection, openReader } from '../redis/reader.ts'
import { createScript } from '../redis/script.ts'
import type { Recover, RevocationFeed } from './revocation-feed.ts'
import type { Revocation, Revocations } from './revocations.ts'

export interface RedisFeedOptions {
  redis: RedisClient
  known: Revocations
  recover: Recover
  /** Milliseconds that an entry matters: the longest life of an access token. */
  lifetime: number
  /** Milliseconds that this node may be behind before it stops answering. */
  maxStaleness: number
  log: Log
  prefix?: string
  /** Milliseconds that only ever go forward, also while the process is stopped. */
  monotonic?: () => number
}

/** Entries in one read; where that many came there may be more, and nothing is proven yet. */
const BATCH = 1_000
/** Milliseconds between two attempts to get back to Redis. */
const RETRY_INTERVAL = 100

type Entries = [stream: string, entries: [id: string, fields: string[]][]][] | null

/**
 * A stream that every node tails on a connection of its own. A read that comes back empty-handed proves that nothing was
 * missed until it began. After a new connection nothing is proven: it may lead to a server that never saw the last
 * entries, so the node first reads the recent revocations from Postgres, and publishes them again for whoever has no
 * Postgres to read. A marker beside the stream tells a stream that was emptied under a living connection.
 */
export function createRedisFeed(options: RedisFeedOptions): RevocationFeed {
  const { redis, known, recover, lifetime, maxStaleness, log, prefix = 'pawl:' } = options
  const monotonic = options.monotonic ?? (() => performance.now())
  // In a cluster both keys have to be at the same node: the braces see to that.
  const stream = `{${prefix}revocations}`
  const markerKey = `{${prefix}revocations}:marker`
  // The wait must end well within the bound: only what is finished proves something.
  const wait = Math.max(10, Math.floor(maxStaleness / 4))

  const append = createScript(redis, new URL('./lua/publish.lua', import.meta.url))

  let completeUntil = Number.NEGATIVE_INFINITY
  let reader: Redis | undefined
  let marker: string | undefined
  let position = '0-0'
  /** The client has a new connection: what was published and closed by the old one may have been lost on the way. */
  let doubted = false
  let forgetClient = () => {}
  let stopped = false
  let interrupted = false
  let tailing: Promise<void> | undefined

  async function publish(revocations: readonly Revocation[]): Promise<void> {
    for (const revocation of revocations) known.add(revocation)
    for (let start = 0; start < revocations.length; start += BATCH) {
      const entries = revocations.slice(start, start + BATCH).map((revocation) => JSON.stringify(revocation))
      await answer(append(stream, lifetime, ...entries))
    }
  }

  async function synchronise(): Promise<void> {
    reader ??= await openReader(redis, markerKey, wait + 1_000)
    const mine = randomUUID()
    marker = (await reader.set(markerKey, mine, 'NX', 'GET')) ?? mine
    const [last] = await reader.xrevrange(stream, '+', '-', 'COUNT', 1)
    position = last?.[0] ?? '0-0'
    // Whatever is committed after this moment comes by the stream, behind `position`.
    const begun = monotonic()
    doubted = false
    await publish(await recover())
    completeUntil = begun
  }

  async function read(from: Redis): Promise<void> {
    const begun = monotonic()
    const reply = (await from.xread('COUNT', BATCH, 'BLOCK', wait, 'STREAMS', stream, position)) as Entries
    const entries = reply?.[0]?.[1] ?? []
    for (const [id, fields] of entries) {
      position = id
      const revocation = parse(fields[1])
      if (revocation) known.add(revocation)
    }
    // A GET that counts as a write, and changes nothing: a master that was replaced, and now hears of nothing, refuses it
    // once it is a replica (READONLY), or before where it knows that its replicas have left it (min-replicas-to-write).
    if ((await from.getex(markerKey, 'PERSIST')) !== marker) marker = undefined
    else if (entries.length < BATCH) completeUntil = begun
  }

  async function tail(): Promise<void> {
    while (!stopped) {
      try {
        if (marker === undefined || doubted || !reader) await synchronise()
        if (reader) await read(reader)
        if (interrupted) log.info({ event: 'feed_resumed' }, 'hearing of revocations again')
        interrupted = false
      } catch (error) {
        if (stopped) return
        reader?.disconnect()
        reader = undefined
        const reason = error instanceof Error ? error.message : 'unknown'
        if (!interrupted) log.warn({ event: 'feed_interrupted', reason }, 'cannot hear of revocations')
        interrupted = true
        await delay(RETRY_INTERVAL)
      }
    }
  }

  return {
    async start() {
      try {
        await synchronise()
      } catch (error) {
        reader?.disconnect()
        throw error
      }
      forgetClient = onNewConnection(redis, () => {
        doubted = true
      })
      tailing = tail()
    },

    async stop() {
      stopped = true
      forgetClient()
      reader?.disconnect()
      await tailing
      // One that was being opened meanwhile.
      reader?.disconnect()
    },

    publish,

    age: () => monotonic() - completeUntil,
  }
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
