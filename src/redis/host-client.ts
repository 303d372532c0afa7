import type { ClusterNode, ClusterOptions, RedisOptions } from 'ioredis'
import type { HostRedis } from '../embedding/host-clients.ts'

/**
 * The options that say which server to connect to, and how. Pawl sets all others itself: its
 * connections must fail fast, and must neither add a prefix to keys nor convert replies.
 */
const CONNECTION_OPTIONS = [
  'host',
  'port',
  'path',
  'family',
  'db',
  'username',
  'password',
  'tls',
  'keepAlive',
  'noDelay',
  'natMap',
  'Connector',
  'sentinels',
  'name',
  'sentinelUsername',
  'sentinelPassword',
  'sentinelTLS',
  'enableTLSForSentinelMode',
  'updateSentinels',
  'sentinelMaxConnections',
] as const satisfies (keyof RedisOptions)[]

export type RedisConnection = Pick<RedisOptions, (typeof CONNECTION_OPTIONS)[number]>

/** The Redis to which a client of the application connects. */
export type HostRedisTarget =
  | { form: 'host'; options: RedisConnection }
  | {
      form: 'host-cluster'
      nodes: ClusterNode[]
      redisOptions: RedisConnection
      natMap: ClusterOptions['natMap']
    }

/** What a cluster client of ioredis has. */
interface HostCluster extends HostRedis {
  readonly isCluster: true
  readonly startupNodes: readonly ClusterNode[]
  readonly options: ClusterOptions
}

/** Returns where a client of the application connects to. It does not use the client itself. */
export function targetOfClient(client: HostRedis): HostRedisTarget {
  if (!isCluster(client)) return { form: 'host', options: connectionOptions(client.options) }
  const { startupNodes, options } = client
  return {
    form: 'host-cluster',
    nodes: [...startupNodes],
    redisOptions: connectionOptions(options.redisOptions ?? {}),
    natMap: options.natMap,
  }
}

function isCluster(client: HostRedis): client is HostCluster {
  return (client as Partial<HostCluster>).isCluster === true
}

function connectionOptions(options: RedisOptions): RedisConnection {
  return Object.fromEntries(
    CONNECTION_OPTIONS.flatMap((name) =>
      options[name] === undefined || options[name] === null ? [] : [[name, options[name]]],
    ),
  )
}
