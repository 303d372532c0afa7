import { Cluster, type Redis } from 'ioredis'
import type { HostRedis } from '../embedding/host-clients.ts'
import { createClient, type RedisClient } from './client.ts'
import { type HostRedisTarget, targetOfClient } from './host-client.ts'
import { parseRedisUrl, type RedisTarget, redisHosts } from './url.ts'

/** Milliseconds to wait at start for a server that is not available yet. */
const START_TIMEOUT = 5_000

/**
 * Connects to one Redis, to the master that Sentinels name, or to a cluster: that of a URL, or that
 * of a client of the application. Rejects if Redis cannot be reached within about 5 seconds.
 *
 * The client fails fast: while Redis is unavailable it rejects a command at once instead of
 * queueing it, and it never sends a command again whose reply was lost. It reconnects by itself,
 * at most a second after Redis is back, and follows a fail-over. `onError` receives the first
 * connection error of each outage.
 */
export async function connectRedis(
  to: string | HostRedis,
  onError: (error: Error) => void,
): Promise<RedisClient> {
  const target = typeof to === 'string' ? parseRedisUrl(to) : targetOfClient(to)
  if (!target) throw new Error('the URL of Redis is not valid')
  const client = createClient(target)
  const outages = watchOutages(client, onError)
  // A failed attempt emits 'error' and is followed by another one, so its rejection says nothing.
  client.connect().catch(() => {})
  if (await becomesReady(client)) {
    outages.report()
    return client
  }
  client.disconnect()
  throw new Error(
    `Redis at ${hostsOf(target)}: cannot be reached: ${outages.reason() ?? 'no reply'}`,
  )
}

function hostsOf(target: RedisTarget | HostRedisTarget): string {
  if (target.form === 'host-cluster') return 'the nodes of the given cluster client'
  if (target.form !== 'host') return redisHosts(target)
  const { host, port, path, name } = target.options
  return path ?? name ?? `${host}:${port}`
}

/** Lets commands in flight finish, but does not wait for a server that no longer replies. */
export async function disconnectRedis(redis: RedisClient): Promise<void> {
  try {
    await redis.quit()
  } catch {
    redis.disconnect()
  }
}

/** Passes on errors from the call of `report` on; `reason` returns that of the current outage. */
function watchOutages(client: RedisClient, onError: (error: Error) => void) {
  let current: Error | undefined
  let sentinelError: Error | undefined
  let isReporting = false
  const handleError = (error: Error) => {
    const isNew = !current
    current = (error as { lastNodeError?: Error }).lastNodeError ?? sentinelError ?? error
    if (isNew && isReporting) onError(current)
  }
  const handleReady = () => {
    current = undefined
    sentinelError = undefined
  }
  client.on('error', handleError)
  client.on('node error', handleError)
  // The error that follows says only that all Sentinels are unreachable, even if they are not
  // (https://github.com/redis/ioredis/issues/1390). This can be removed when it gives the reason.
  client.on('sentinelError', (error: Error) => {
    sentinelError = error
  })
  client.on('ready', handleReady)
  client.on('+node', (node: Redis) => node.once('ready', handleReady))
  return {
    reason: () => current?.message || undefined,
    report: () => {
      isReporting = true
    },
  }
}

/** Returns whether the client is ready within the time limit. */
async function becomesReady(client: RedisClient): Promise<boolean> {
  const isReady = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), START_TIMEOUT)
    client.once('ready', () => {
      clearTimeout(timer)
      resolve(true)
    })
  })
  // A cluster is ready when one node says so (https://github.com/redis/ioredis/issues/225), while
  // connections to other nodes are in progress. This can be removed when it waits for them.
  if (isReady && client instanceof Cluster)
    await Promise.all(client.nodes('master').map(connectionSettled))
  return isReady
}

/** Resolves when the connection to a node stands or has failed. */
function connectionSettled(node: Redis): Promise<void> {
  return new Promise((resolve) => {
    if (['ready', 'end'].includes(node.status)) return resolve()
    node.once('ready', resolve)
    node.once('end', resolve)
  })
}
