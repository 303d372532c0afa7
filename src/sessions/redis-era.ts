import type { Redis } from 'ioredis'
import { singleFlight } from '../common/single-flight.ts'
import { unavailable } from '../errors.ts'
import type { AwaitReply } from '../redis/await-reply.ts'
import type { RedisClient } from '../redis/client.ts'
import { createScript } from '../redis/script.ts'
import { connectedMasters, masterOf, onConnectionChange } from '../redis/servers.ts'

export type Era = ReturnType<typeof createEra>

/** Milliseconds between two attempts to identify a server. */
const RETRY_INTERVAL = 100

/**
 * Creates the service that keeps track of the era of the hot state. An era is a number that every
 * session in Redis carries. It lasts from one start of a Redis server to the next.
 *
 * After a restart or a fail-over the data of a server may be of any age: they may come
 * from a snapshot, or from a replica that was behind. So a new era begins, and each session of an
 * earlier era is looked up in Postgres before it is served again.
 */
export function createEra(redis: RedisClient, awaitReply: AwaitReply, prefix = 'pawl:') {
  // The braces put the marker on the same cluster node as the stream of revocations.
  const markerKey = `{${prefix}revocations}:marker`
  const updateMarker = createScript(redis, new URL('./lua/era.lua', import.meta.url))
  /** The connected servers whose run ids the marker names. */
  const runIds = new Map<Redis, string>()
  /** Counts the connections to each server, to notice that one was replaced in the meantime. */
  const connections = new WeakMap<Redis, number>()
  let marker: string | undefined
  let retryTimer: NodeJS.Timeout | undefined
  let isStopped = false

  const connectionOf = (server: Redis) => connections.get(server) ?? 0
  const isUnknown = (server: Redis) => !runIds.has(server)

  async function identify(server: Redis) {
    const connection = connectionOf(server)
    const runId =
      runIds.get(server) ?? /^run_id:(\S+)/m.exec(await server.info('server'))?.[1] ?? 'unknown'
    return { server, connection, runId }
  }

  async function readMarker(purpose: 'learn' | 'begin'): Promise<void> {
    const replies = await Promise.allSettled(connectedMasters(redis).map(identify))
    const servers = replies.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    if (servers.length === 0) throw unavailable('Redis')
    marker = await awaitReply(
      updateMarker<string>(markerKey, purpose, ...servers.map(({ runId }) => runId)),
    )
    for (const { server, connection, runId } of servers)
      if (connection === connectionOf(server)) runIds.set(server, runId)
  }

  const establish = singleFlight(async () => {
    try {
      await readMarker('learn')
    } finally {
      clearTimeout(retryTimer)
      if (!isStopped && connectedMasters(redis).some(isUnknown))
        retryTimer = setTimeout(tryToEstablish, RETRY_INTERVAL).unref()
    }
  })

  function tryToEstablish(): void {
    establish().catch(() => {})
  }

  const removeListeners = onConnectionChange(redis, (server) => {
    connections.set(server, connectionOf(server) + 1)
    runIds.delete(server)
    if (server.status === 'ready') tryToEstablish()
  })

  return {
    markerKey,

    /** Learns the era, and begins a new one if the marker does not name a connected server. */
    establish,

    /** Begins a new era: every session is looked up in Postgres before it is served again. */
    begin: () => readMarker('begin'),

    /** Returns the value of `markerKey`, as far as this node knows it. */
    marker: () => marker,

    /**
     * Compares the marker with the value that was just read from Redis. If they differ, or if Redis
     * has none, the data of the server were replaced, and the era has to be established again.
     */
    confirm(value: string | null): void {
      if (value !== marker) marker = undefined
    },

    /** Returns whether `current` can return the era of at least one server. */
    isKnown: () => marker !== undefined && runIds.size > 0,

    /**
     * Returns the era for the server that holds `key`, an unsigned number of 32 bits. Throws
     * `AUTH_UNAVAILABLE` while it is not certain which data that server has. If it returns the same
     * era before a command is sent and after its reply, it was certain all the time in between.
     */
    current(key: string): number {
      const server = masterOf(redis, key)
      if (marker === undefined || !server || isUnknown(server)) throw unavailable('the hot state')
      return Number.parseInt(marker, 16)
    },

    stop(): void {
      isStopped = true
      clearTimeout(retryTimer)
      removeListeners()
    },
  }
}
