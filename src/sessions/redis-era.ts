import { randomBytes } from 'node:crypto'
import type { Redis } from 'ioredis'
import { unavailable } from '../errors.ts'
import { awaitReply } from '../redis/await-reply.ts'
import type { RedisClient } from '../redis/client.ts'
import { createScript } from '../redis/script.ts'
import { connectedMasters, masterOf, onConnectionChange } from '../redis/servers.ts'

export type Era = ReturnType<typeof createEra>

/** Milliseconds between two attempts to learn about a server. */
const RETRY_INTERVAL = 100

/**
 * A life of the hot state, from one start of a Redis server to the next: a number that every session in it carries. A server
 * that started anew, or took over, has data of which nobody can say how old they are (a snapshot, a replica that was
 * behind). That begins a new era, and each session of an earlier one is looked up in Postgres before it goes on.
 */
export function createEra(redis: RedisClient, prefix = 'pawl:') {
  // At the same node of a cluster as the stream of revocations: the braces see to that.
  const markerKey = `{${prefix}revocations}:marker`
  const era = createScript(redis, new URL('./lua/era.lua', import.meta.url))
  /** The servers that this node is connected to, by run ids that the marker names. */
  const runs = new Map<Redis, string>()
  const connections = new WeakMap<Redis, number>()
  let marker: string | undefined
  let underway: Promise<void> | undefined
  let retry: NodeJS.Timeout | undefined
  let stopped = false

  const connectionOf = (server: Redis) => connections.get(server) ?? 0
  const isUnknown = (server: Redis) => !runs.has(server)

  async function ask(server: Redis) {
    const connection = connectionOf(server)
    const run =
      runs.get(server) ?? /^run_id:(\S+)/m.exec(await server.info('server'))?.[1] ?? 'unknown'
    return { server, connection, run }
  }

  async function visit(purpose: 'learn' | 'begin'): Promise<void> {
    const asked = await Promise.allSettled(connectedMasters(redis).map(ask))
    const known = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    if (known.length === 0) throw unavailable('Redis')
    const another = randomBytes(4).toString('hex')
    marker = await awaitReply(
      era<string>(markerKey, another, purpose, ...known.map(({ run }) => run)),
    )
    for (const { server, connection, run } of known)
      if (connection === connectionOf(server)) runs.set(server, run)
  }

  /** Learn the era, and begin one where a server is there that the marker does not name. */
  function establish(): Promise<void> {
    underway ??= visit('learn').finally(() => {
      underway = undefined
      clearTimeout(retry)
      if (!stopped && connectedMasters(redis).some(isUnknown))
        retry = setTimeout(tryAgain, RETRY_INTERVAL).unref()
    })
    return underway
  }

  function tryAgain(): void {
    establish().catch(() => {})
  }

  const forgetListeners = onConnectionChange(redis, (server) => {
    connections.set(server, connectionOf(server) + 1)
    runs.delete(server)
    if (server.status === 'ready') tryAgain()
  })

  return {
    markerKey,
    establish,

    /** Begin another one: every session is looked up in Postgres before it goes on. */
    begin: () => visit('begin'),

    /** What stands at `markerKey`, as far as this node knows. */
    marker: () => marker,

    /** Compares with what was just read there: another marker, or none, says that the data are others. */
    confirm(read: string | null): void {
      if (read !== marker) marker = undefined
    },

    /** Whether there is a server that `current` can speak of. */
    isKnown: () => marker !== undefined && runs.size > 0,

    /**
     * Unsigned, 32 bits, for the server that holds `key`. Throws `AUTH_UNAVAILABLE` while it is not certain what data that
     * server has: asked before a command and after its reply, the same answer says that there was no doubt in between.
     */
    current(key: string): number {
      const server = masterOf(redis, key)
      if (marker === undefined || !server || isUnknown(server)) throw unavailable('the hot state')
      return Number.parseInt(marker, 16)
    },

    stop(): void {
      stopped = true
      clearTimeout(retry)
      forgetListeners()
    },
  }
}
