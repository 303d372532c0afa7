import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import { errorText } from '../common/error-text.ts'
import type { Log } from '../common/log.ts'
import { singleFlight } from '../common/single-flight.ts'
import { unavailable } from '../errors.ts'
import type { AwaitReply } from '../redis/await-reply.ts'
import type { RedisClient } from '../redis/client.ts'
import { createScript } from '../redis/script.ts'
import { connectedMasters, masterOf, onConnectionChange } from '../redis/servers.ts'
import type { EraRecords } from './era-records.ts'

export type Era = ReturnType<typeof createEra>

/** Begins the ids that stand for servers that hide theirs. */
const HIDDEN = 'hidden-'

/** Maximum number of attempts to agree on an era with nodes that use another server. */
const MAX_ATTEMPTS = 3

/** Milliseconds between two attempts to identify a server. */
const RETRY_INTERVAL = 100

export interface EraOptions {
  redis: RedisClient
  awaitReply: AwaitReply
  records: EraRecords
  log: Log
  prefix?: string
}

/**
 * Creates the service that keeps track of the era of the hot state. An era is a number that every
 * session in Redis carries. It lasts from one start of a Redis server to the next.
 *
 * After a restart or a fail-over the data of a server may be of any age: they may come
 * from a snapshot, or from a replica that was behind. So a new era begins, and each session of an
 * earlier era is looked up in Postgres before it is served again.
 *
 * A server that was replaced and comes back as the master still has the marker of its time, which
 * names it. Postgres knows that a later era began since, so another one begins. While Postgres is
 * unavailable, no new connection can be used.
 */
export function createEra({ redis, awaitReply, records, log, prefix = 'pawl:' }: EraOptions) {
  // The braces put the marker on the same cluster node as the stream of revocations.
  const markerKey = `{${prefix}revocations}:marker`
  const updateMarker = createScript(redis, new URL('./lua/era.lua', import.meta.url))
  /** The connected servers whose run ids the marker names. */
  const runIds = new Map<Redis, string>()
  /** Counts the connections to each server, to notice that one was replaced in the meantime. */
  const connections = new WeakMap<Redis, number>()
  /** The connections to servers that hide their run id, which were part of an era already. */
  const established = new WeakSet<Redis>()
  let isWarned = false
  let marker: string | undefined
  let retryTimer: NodeJS.Timeout | undefined
  let isStopped = false

  const connectionOf = (server: Redis) => connections.get(server) ?? 0
  const isUnknown = (server: Redis) => !runIds.has(server)

  async function identify(server: Redis) {
    const connection = connectionOf(server)
    const runId = runIds.get(server) ?? (await readRunId(server)) ?? hiddenRunId()
    return { server, connection, runId }
  }

  /**
   * Returns the id of a server that hides its own. It is new for each connection, because nothing
   * tells whether the new one leads to the same server with the same data.
   */
  function hiddenRunId(): string {
    if (!isWarned)
      log.warn(
        { event: 'run_id_hidden' },
        'Redis hides its run id: each new connection costs a query for each session',
      )
    isWarned = true
    return HIDDEN + randomUUID()
  }

  async function readMarker(purpose: 'learn' | 'begin'): Promise<void> {
    const replies = await Promise.allSettled(connectedMasters(redis).map(identify))
    const servers = replies.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    if (servers.length === 0) throw unavailable('Redis')
    // An unbroken connection leads to the same data, even if another node began an era for its own.
    const named = servers.filter(
      ({ server, runId }) => !(runId.startsWith(HIDDEN) && established.has(server)),
    )
    marker = await updateInOrder(
      purpose,
      named.map(({ runId }) => runId),
    )
    for (const { server, connection, runId } of servers) {
      if (connection !== connectionOf(server)) continue
      runIds.set(server, runId)
      established.add(server)
    }
  }

  /**
   * Returns the marker. Its era is the highest one that ever began: if Redis is behind what
   * Postgres knows, another one begins.
   */
  async function updateInOrder(purpose: 'learn' | 'begin', ids: string[]): Promise<string> {
    let highest = await records.raise(0)
    let found = await awaitReply(updateMarker<string>(markerKey, purpose, highest, ...ids))
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      highest = await records.raise(eraOf(found))
      if (highest === eraOf(found)) return found
      // Another server got a later era in the meantime.
      found = await awaitReply(updateMarker<string>(markerKey, 'learn', highest, ...ids))
    }
    throw unavailable('the hot state')
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
    established.delete(server)
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
      return eraOf(marker)
    },

    stop(): void {
      isStopped = true
      clearTimeout(retryTimer)
      removeListeners()
    },
  }
}

/** Returns undefined if the server hides its run id or refuses the command, as some services do. */
async function readRunId(server: Redis): Promise<string | undefined> {
  try {
    return /^run_id:(\S+)/m.exec(await server.info('server'))?.[1]
  } catch (error) {
    if (/^(NOPERM|ERR unknown command)/.test(errorText(error))) return undefined
    throw error
  }
}

/** Returns the number that a marker begins with. */
function eraOf(marker: string): number {
  return Number.parseInt(marker, 16)
}
