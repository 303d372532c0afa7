import { Redis } from 'ioredis'
import { startRedis } from './redis.ts'
import type { Service } from './service.ts'
import { untilTrue } from './until-true.ts'

const SLOTS = 16_384
const MASTERS = 3
const FLAGS = [
  ...['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000'],
  // The rest of the cluster keeps working when a master is lost.
  ...['--cluster-require-full-coverage', 'no'],
]

export interface RedisCluster {
  /** The URLs of all nodes, separated by commas. */
  url: string
  nodes: Service[]
  /** Returns the node that holds a key. */
  holderOf(key: string): Promise<Service>
  /** Resolves when every node reports that all slots are served. */
  whole(): Promise<void>
  stop(): Promise<void>
}

export interface ClusterOptions {
  /** Whether each master has a replica. The replicas follow the masters in `nodes`. */
  hasReplicas?: boolean
  /** Further arguments of the command line of every node. */
  flags?: string[]
}

/** Starts a cluster of three masters. */
export async function startCluster(options: ClusterOptions = {}): Promise<RedisCluster> {
  const { hasReplicas = false, flags = [] } = options
  const nodes = await Promise.all(
    Array.from({ length: hasReplicas ? 2 * MASTERS : MASTERS }, () =>
      startRedis({ flags: [...FLAGS, ...flags] }),
    ),
  )
  const clients = nodes.map(({ url }) => new Redis(url))
  const masters = clients.slice(0, MASTERS)
  const [first] = clients
  try {
    await Promise.all(
      masters.map(async (client, index) => {
        await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)
        await client.call('CLUSTER', 'ADDSLOTSRANGE', firstSlot(index), firstSlot(index + 1) - 1)
      }),
    )
    for (const { port } of nodes) await first?.call('CLUSTER', 'MEET', '127.0.0.1', port)
    await whole(nodes)
    for (const [index, replica] of clients.slice(MASTERS).entries())
      await replica.call('CLUSTER', 'REPLICATE', String(await masters[index]?.cluster('MYID')))
  } finally {
    for (const client of clients) client.disconnect()
  }
  return {
    url: nodes.map(({ url }) => url).join(','),
    nodes,
    whole: () => whole(nodes),
    async holderOf(key) {
      const client = new Redis(nodes[0]?.url ?? '')
      const slot = Number(await client.cluster('KEYSLOT', key).finally(() => client.disconnect()))
      const holder = nodes.find((_, index) => slot < firstSlot(index + 1))
      if (!holder) throw new Error(`no node for slot ${slot}`)
      return holder
    },
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()))
    },
  }
}

const firstSlot = (index: number) => Math.floor((SLOTS * index) / MASTERS)

async function whole(nodes: readonly Service[]): Promise<void> {
  for (const { url } of nodes)
    await untilTrue(() => isWhole(url, nodes.length), 'the cluster is whole')
}

async function isWhole(url: string, size: number): Promise<boolean> {
  const client = new Redis(url, { retryStrategy: () => null })
  client.on('error', () => {})
  const info = String(await client.cluster('INFO').finally(() => client.disconnect()))
  return ['state:ok', `known_nodes:${size}`, `slots_ok:${SLOTS}`].every((line) =>
    info.includes(`cluster_${line}\r\n`),
  )
}
