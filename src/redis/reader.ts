import { Cluster, Command, type Redis } from 'ioredis'
import type { RedisClient } from './client.ts'

/**
 * A connection of its own to the one master that holds `key`, for reads that wait. Its first fault ends it for good: a new
 * connection may lead to another server, which whoever reads has to know of. Rejects where there is no such master now.
 */
export async function openReader(client: RedisClient, key: string, commandTimeout: number): Promise<Redis> {
  const origin = client instanceof Cluster ? await holderOf(client, key) : client
  const reader = origin.duplicate({
    commandTimeout,
    socketTimeout: commandTimeout,
    lazyConnect: true,
    enableOfflineQueue: false,
    connectionName: 'pawl-feed',
    retryStrategy: () => null,
    sentinelRetryStrategy: () => null,
  })
  let cause: Error | undefined
  reader.on('error', (error: Error) => {
    cause = error
  })
  try {
    await reader.connect()
    return reader
  } catch (error) {
    reader.disconnect()
    throw cause ?? error
  }
}

async function holderOf(cluster: Cluster, key: string): Promise<Redis> {
  // Finds the node wherever the slot has moved, and so brings what the client knows of the slots up to date.
  await cluster.getex(key, 'PERSIST')
  const address = cluster.slots[new Command('getex', [key]).getSlot() ?? 0]?.[0]
  const node = cluster.nodes('master').find(({ options }) => `${options.host}:${options.port}` === address)
  if (!node) throw new Error('no node of the cluster holds the slot')
  return node
}

/**
 * Calls back at every new connection of the client to a server: what was written before may be unknown there. Returns
 * what ends that.
 */
export function onNewConnection(client: RedisClient, listener: () => void): () => void {
  const onNode = (node: Redis) => {
    node.on('ready', listener)
  }
  client.on('ready', listener)
  client.on('+node', onNode)
  if (client instanceof Cluster) client.nodes().forEach(onNode)
  return () => {
    client.off('ready', listener)
    client.off('+node', onNode)
    if (client instanceof Cluster) for (const node of client.nodes()) node.off('ready', listener)
  }
}
