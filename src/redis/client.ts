import { Cluster, type ClusterNode, type ClusterOptions, Redis } from 'ioredis'
import { backoffDelay } from '../common/backoff.ts'
import type { HostRedisTarget, RedisConnection } from './host-client.ts'
import type { RedisTarget } from './url.ts'

export type RedisClient = Redis | Cluster

/** Milliseconds after which a command fails, and its caller responds with 503. */
const COMMAND_TIMEOUT = 1_000
/** Milliseconds without a byte from a server that owes a reply until the connection is closed. */
const SOCKET_TIMEOUT = 2_000
/** Milliseconds between two attempts to connect. */
const RECONNECT = { first: 100, longest: 1_000 }

const reconnectDelay = (attempt: number) => backoffDelay(attempt, RECONNECT)

const OPTIONS = {
  lazyConnect: true,
  connectTimeout: 2_000,
  commandTimeout: COMMAND_TIMEOUT,
  socketTimeout: SOCKET_TIMEOUT,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  // The server has become a replica. A new connection leads to the new master.
  reconnectOnError: (error: Error) => error.message.includes('READONLY'),
  connectionName: 'pawl',
}

const SINGLE = { ...OPTIONS, enableOfflineQueue: false, retryStrategy: reconnectDelay }

const SENTINEL = {
  // The server itself confirms its role at every connection, because a Sentinel may learn of a
  // fail-over later than the client.
  role: 'master',
  sentinelRetryStrategy: reconnectDelay,
  sentinelCommandTimeout: COMMAND_TIMEOUT,
} as const

/** Creates a client that is not connected yet. `connectRedis` documents how it behaves. */
export function createClient(target: RedisTarget | HostRedisTarget): RedisClient {
  switch (target.form) {
    case 'server':
      return batchWrites(new Redis(target.url, SINGLE))
    case 'sentinel':
      return createSentinelClient(target)
    case 'cluster':
      return createClusterClient(target)
    case 'host':
      return batchWrites(new Redis({ ...target.options, ...SINGLE, ...SENTINEL }))
    case 'host-cluster':
      return createCluster(target)
  }
}

function createSentinelClient(target: Extract<RedisTarget, { form: 'sentinel' }>): Redis {
  const { sentinels, name, login, sentinelLogin, tls } = target
  const redis = new Redis({
    ...SINGLE,
    ...login,
    sentinels,
    name,
    ...SENTINEL,
    ...(sentinelLogin.username && { sentinelUsername: sentinelLogin.username }),
    ...(sentinelLogin.password && { sentinelPassword: sentinelLogin.password }),
    ...(tls && { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true }),
  })
  return batchWrites(redis)
}

/**
 * Writes the commands of all requests that arrived together by one system call instead of one
 * each, which is a good part of the cost of a refresh.
 *
 * `enableAutoPipelining` of ioredis does that too, but it holds back every reply until the whole
 * batch has its replies (https://github.com/redis/ioredis/issues/1608), and the next batch until
 * then. This function can be removed when ioredis batches writes without that.
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
  return createCluster({ nodes, redisOptions: { ...login, ...(tls && { tls: {} }) } })
}

function createCluster({
  nodes,
  redisOptions,
  natMap,
}: {
  nodes: ClusterNode[]
  redisOptions: RedisConnection
  natMap?: ClusterOptions['natMap']
}): Cluster {
  const cluster = new Cluster(nodes, {
    lazyConnect: true,
    enableOfflineQueue: false,
    scaleReads: 'master',
    redisOptions: { ...redisOptions, ...OPTIONS },
    ...(natMap && { natMap }),
    clusterRetryStrategy: reconnectDelay,
    // Without 0, ioredis would send a command again that may have been carried out already, or
    // whose caller no longer waits for it.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    slotsRefreshTimeout: COMMAND_TIMEOUT,
    slotsRefreshInterval: 5_000,
    // ioredis connects to the address behind a host name, for which no certificate is valid
    // (https://github.com/redis/ioredis/issues/754). This can be removed when it connects to the
    // host name itself.
    dnsLookup: (host, done) => done(null, host),
  })
  connectMasters(cluster)
  return cluster
}

/**
 * Connects to each master of a cluster before the first command to it.
 *
 * ioredis connects by that command, and without an offline queue it rejects every further one
 * until the connection stands (https://github.com/redis/ioredis/pull/2096). This function can be
 * removed when ioredis lets commands wait for the first connection to a node.
 */
function connectMasters(cluster: Cluster): void {
  // A replica stays unconnected until it is promoted.
  const connect = (node: Redis) => {
    if (node.status === 'wait' && !node.options.readOnly) node.connect().catch(() => {})
  }
  // Not before the cluster is ready, because ioredis finds that out by a command to some node.
  cluster.on('ready', () => cluster.nodes('master').forEach(connect))
  // A tick later, because a redirected command may be about to be sent to the new node: the node
  // accepts it as long as it has not begun to connect.
  cluster.on('+node', (node: Redis) =>
    process.nextTick(() => {
      if (cluster.status === 'ready') connect(node)
    }),
  )
}
