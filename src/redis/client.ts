import { Cluster, Redis } from 'ioredis'
import type { RedisTarget } from './url.ts'

export type RedisClient = Redis | Cluster

/** Milliseconds that a command may take before its caller is told 503. */
const COMMAND_LIMIT = 1_000
/** Milliseconds without a byte from a server that owes one, until the connection is given up: its host may be gone. */
const SILENCE_LIMIT = 2_000

const delayOf = (attempt: number) => Math.min(50 * 2 ** attempt, 1_000)

const OPTIONS = {
  lazyConnect: true,
  connectTimeout: 2_000,
  commandTimeout: COMMAND_LIMIT,
  socketTimeout: SILENCE_LIMIT,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  // A server that has become a replica: where the name leads now is another one.
  reconnectOnError: (error: Error) => error.message.includes('READONLY'),
  connectionName: 'pawl',
}

const ALONE = { ...OPTIONS, enableOfflineQueue: false, retryStrategy: delayOf }

/** A client that is not connected yet; its options are those of `connectRedis`. */
export function createClient(target: RedisTarget): RedisClient {
  switch (target.form) {
    case 'server':
      return batchWrites(new Redis(target.url, ALONE))
    case 'sentinel':
      return createSentinelClient(target)
    case 'cluster':
      return createClusterClient(target)
  }
}

function createSentinelClient(target: Extract<RedisTarget, { form: 'sentinel' }>): Redis {
  const { sentinels, name, login, sentinelLogin, tls } = target
  const redis = new Redis({
    ...ALONE,
    ...login,
    sentinels,
    name,
    // Asked of the server itself at every connection: a Sentinel may know of the fail-over later than the client.
    role: 'master',
    sentinelRetryStrategy: delayOf,
    sentinelCommandTimeout: COMMAND_LIMIT,
    ...(sentinelLogin.username && { sentinelUsername: sentinelLogin.username }),
    ...(sentinelLogin.password && { sentinelPassword: sentinelLogin.password }),
    ...(tls && { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true }),
  })
  return batchWrites(redis)
}

/**
 * Hands the commands of all requests that came in together to the network at once, rather than one by one: each costs a system
 * call, which is a good part of what a refresh costs.
 */
function batchWrites(redis: Redis): Redis {
  const send = redis.sendCommand
  redis.sendCommand = (...args) => {
    const { stream } = redis
    if (stream && stream.writableCorked === 0) {
      stream.cork()
      setImmediate(() => stream.uncork())
    }
    return send.apply(redis, args)
  }
  return redis
}

function createClusterClient(target: Extract<RedisTarget, { form: 'cluster' }>): Cluster {
  const { nodes, login, tls } = target
  const cluster = new Cluster(nodes, {
    lazyConnect: true,
    enableOfflineQueue: false,
    scaleReads: 'master',
    redisOptions: { ...OPTIONS, ...login, ...(tls && { tls: {} }) },
    clusterRetryStrategy: delayOf,
    // Each of these would send a command again that may have been carried out, or that its caller has given up.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    retryDelayOnTryAgain: 0,
    slotsRefreshTimeout: COMMAND_LIMIT,
    slotsRefreshInterval: 5_000,
    // The host as it is written: a certificate is for a name, not for the address behind it.
    dnsLookup: (host, done) => done(null, host),
  })
  // While a node connects, commands to it are refused: do it before the first of them, not by it. But not before the
  // cluster is ready: it finds out by a command. The tick later lets a command that was redirected here, and is about to
  // be sent, wait for the connection. A replica is left alone until it is promoted.
  const connect = (node: Redis) => {
    if (node.status === 'wait' && !node.options.readOnly) node.connect().catch(() => {})
  }
  cluster.on('ready', () => cluster.nodes('master').forEach(connect))
  cluster.on('+node', (node: Redis) =>
    process.nextTick(() => {
      if (cluster.status === 'ready') connect(node)
    }),
  )
  return cluster
}
