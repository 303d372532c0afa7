import { awaitReply } from '../redis/await-reply.ts'
import type { RedisClient } from '../redis/client.ts'
import { createScript } from '../redis/script.ts'

export type CounterMirror = ReturnType<typeof createCounterMirror>

/**
 * Creates access to the copy in Redis of the highest counter that Postgres has shown any node.
 * `database` names the database, because several installations may share a Redis.
 */
export function createCounterMirror(redis: RedisClient, database: string, prefix = 'pawl:') {
  // The braces put it on the same cluster node as the stream of revocations.
  const key = `{${prefix}revocations}:postgres:${database}`
  const raise = createScript(redis, new URL('./lua/raise.lua', import.meta.url))

  return {
    /** Returns the copy, or 0 if Redis has none. Rejects with `AUTH_UNAVAILABLE`. */
    read: async (): Promise<number> => Number(await awaitReply(redis.get(key))),

    /** Raises the copy, unless it is higher already. Rejects with `AUTH_UNAVAILABLE`. */
    raise: async (counter: number): Promise<void> => void (await awaitReply(raise(key, counter))),
  }
}
