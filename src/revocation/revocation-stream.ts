import type { Redis } from 'ioredis'
import { awaitReply } from '../redis/await-reply.ts'
import type { RedisClient } from '../redis/client.ts'
import { createScript } from '../redis/script.ts'
import type { Revocation } from './revocations.ts'

/** Maximum number of entries in one read or write. */
const BATCH = 1_000

/** What one read found. */
export interface StreamBatch {
  revocations: Revocation[]
  /** The id of the last entry that was read so far. */
  position: string
  /** Whether the read reached the end of the stream. */
  isComplete: boolean
}

type Reply = [stream: string, entries: [id: string, fields: string[]][]][] | null

/** Gives access to the Redis stream of revocations; entries matter for `lifetime()` milliseconds. */
export function createRevocationStream(
  redis: RedisClient,
  lifetime: () => number,
  prefix = 'pawl:',
) {
  const key = `{${prefix}revocations}`
  const publish = createScript(redis, new URL('./lua/publish.lua', import.meta.url))

  return {
    /** Rejects with `AUTH_UNAVAILABLE` if it is not certain that Redis has all of them. */
    async append(revocations: readonly Revocation[]): Promise<void> {
      for (let start = 0; start < revocations.length; start += BATCH) {
        const batch = revocations.slice(start, start + BATCH)
        const entries = batch.map((revocation) => JSON.stringify(revocation))
        await awaitReply(publish(key, lifetime(), ...entries))
      }
    },

    /** Returns the id of the newest entry. */
    async end(reader: Redis): Promise<string> {
      const [last] = await reader.xrevrange(key, '+', '-', 'COUNT', 1)
      return last?.[0] ?? '0-0'
    },

    /** Reads one batch of entries after `position`, and waits `wait` milliseconds for the first. */
    async read(reader: Redis, position: string, wait: number): Promise<StreamBatch> {
      const command = ['COUNT', BATCH, 'BLOCK', wait, 'STREAMS', key, position] as const
      const reply = (await reader.xread(...command)) as Reply
      const entries = reply?.[0]?.[1] ?? []
      return {
        revocations: entries.flatMap(([, fields]) => parse(fields[1]) ?? []),
        position: entries.at(-1)?.[0] ?? position,
        isComplete: entries.length < BATCH,
      }
    },
  }
}

/** Returns undefined for an entry that this version does not know. */
function parse(text: string | undefined): Revocation | undefined {
  try {
    const { kind, ...rest } = JSON.parse(text ?? '')
    return ['session', 'user', 'everything', 'key'].includes(kind) ? { kind, ...rest } : undefined
  } catch {
    return undefined
  }
}
