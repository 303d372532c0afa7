import { Cluster, type Redis } from 'ioredis'
import type { RedisClient } from './client.ts'
import { serverOf } from './servers.ts'

/**
 * A connection of its own to the one master that holds `key`, for reads that wait. Its first fault ends it for good: a new
 * connection may lead to another server, which whoever reads has to know of. Rejects where there is no such master now.
 */
export async function openReader(
  client: RedisClient,
  key: string,
  commandTimeout: number,
): Promise<Redis> {
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
  const node = serverOf(cluster, key)
  if (!node) throw new Error('no node of the cluster holds the slot')
  return node
}
