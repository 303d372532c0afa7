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

/** Starts a cluster of three masters without replicas. */
export async function startCluster(): Promise<RedisCluster> {
  const nodes = await Promise.all(
    Array.from({ length: MASTERS }, () => startRedis({ flags: FLAGS })),
  )
  const clients = nodes.map(({ url }) => new Redis(url))
  const [first] = clients
  try {
    await Promise.all(
      clients.map(async (client, index) => {
        await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)
        await client.call('CLUSTER', 'ADDSLOTSRANGE', firstSlot(index), firstSlot(index + 1) - 1)
      }),
    )
    for (const { port } of nodes) await first?.call('CLUSTER', 'MEET', '127.0.0.1', port)
    await whole(nodes)
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
  for (const { url } of nodes) await untilTrue(() => isWhole(url), 'the cluster is whole')
}

async function isWhole(url: string): Promise<boolean> {
  const client = new Redis(url, { retryStrategy: () => null })
  client.on('error', () => {})
  const info = String(await client.cluster('INFO').finally(() => client.disconnect()))
  return ['state:ok', `known_nodes:${MASTERS}`, `slots_ok:${SLOTS}`].every((line) =>
    info.includes(`cluster_${line}\r\n`),
  )
}
