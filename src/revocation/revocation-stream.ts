import type { Redis } from 'ioredis'
import type { AwaitReply } from '../redis/await-reply.ts'
import type { RedisClient } from '../redis/client.ts'
import { createScript } from '../redis/script.ts'
import type { UnpublishedRevocation } from './revocations.ts'
import { NO_ENTRY, parseEntry, type StreamEntry } from './stream-entry.ts'

/** Maximum number of entries in one read or write. */
const BATCH = 1_000

/** What one read found. */
export interface StreamBatch {
  entries: StreamEntry[]
  /** The id of the last entry that was read so far. */
  position: string
  /** Whether the read reached the end of the stream. */
  isComplete: boolean
  /** Whether no entry is missing between the previous position and this one. */
  isContinuous: boolean
}

type Reply = [stream: string, entries: [id: string, fields: string[]][]][] | null

export type RevocationStream = ReturnType<typeof createRevocationStream>

/** Gives access to the Redis stream of revocations; entries matter for `lifetime()` milliseconds. */
export function createRevocationStream(
  redis: RedisClient,
  lifetime: () => number,
  awaitReply: AwaitReply,
  prefix = 'pawl:',
) {
  const key = `{${prefix}revocations}`
  const publisherKey = `${key}:publisher`
  const publish = createScript(redis, new URL('./lua/publish.lua', import.meta.url))

  return {
    /** Rejects with `AUTH_UNAVAILABLE` if it is not certain that Redis has all of them. */
    async append(revocations: readonly UnpublishedRevocation[]): Promise<void> {
      for (let start = 0; start < revocations.length; start += BATCH) {
        const batch = revocations.slice(start, start + BATCH)
        const args = batch.flatMap(({ revocation, age }) => [JSON.stringify(revocation), age])
        await awaitReply(publish(key, lifetime(), ...args))
      }
    },

    /** Gives an empty stream a first entry. Returns the id of the newest entry. */
    begin: (): Promise<string> => awaitReply(publish<string>(key, lifetime())),

    /** Returns the id of the newest entry, or `NO_ENTRY`. */
    async end(reader: Redis): Promise<string> {
      const [last] = await reader.xrevrange(key, '+', '-', 'COUNT', 1)
      return last?.[0] ?? NO_ENTRY
    },

    /** Returns whether the stream has an entry with this id. */
    async has(reader: Redis, id: string): Promise<boolean> {
      return (await reader.xrevrange(key, id, id)).length > 0
    },

    /** Reads one batch of entries after `position`, and waits `wait` milliseconds for the first. */
    async read(reader: Redis, position: string, wait: number): Promise<StreamBatch> {
      const command = ['COUNT', BATCH, 'BLOCK', wait, 'STREAMS', key, position] as const
      const entries = entriesOf(await reader.xread(...command))
      return {
        entries,
        position: entries.at(-1)?.id ?? position,
        isComplete: entries.length < BATCH,
        isContinuous: entries.every(
          ({ after }, index) => after === (entries[index - 1]?.id ?? position),
        ),
      }
    },

    /**
     * Reads the stream in batches, from the entry after `position` to the entry that is the last
     * one when its batch is read. Rejects with `AUTH_UNAVAILABLE` if Redis does not reply.
     */
    async *history(
      reader: Pick<RedisClient, 'xread'>,
      position: string = NO_ENTRY,
    ): AsyncGenerator<StreamEntry[]> {
      let from = position
      for (;;) {
        const command = ['COUNT', BATCH, 'STREAMS', key, from] as const
        const entries = entriesOf(await awaitReply(reader.xread(...command)))
        if (entries.length > 0) yield entries
        if (entries.length < BATCH) return
        from = entries.at(-1)?.id ?? from
      }
    },

    /**
     * Returns whether this node may publish again what the stream lacks. One node at a time may,
     * for `ms` milliseconds or until `release`, so that nodes do not all publish the same.
     */
    async claim(ms: number): Promise<boolean> {
      return (await awaitReply(redis.set(publisherKey, '', 'PX', ms, 'NX'))) === 'OK'
    },

    async release(): Promise<void> {
      await awaitReply(redis.del(publisherKey))
    },
  }
}

function entriesOf(reply: unknown): StreamEntry[] {
  return ((reply as Reply)?.[0]?.[1] ?? []).map(parseEntry)
}
