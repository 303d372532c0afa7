import { Cluster, type Redis } from 'ioredis'
import type { RedisClient } from './client.ts'
import { masterOf } from './servers.ts'

/**
 * Opens a connection of its own to the master that holds `key`, for reads that wait. The first
 * fault closes it for good: a new connection may lead to another server, and the caller has to
 * know that. Rejects if there is no such master now.
 */
export async function openReader(
  client: RedisClient,
  key: string,
  commandTimeout: number,
): Promise<Redis> {
  const origin = client instanceof Cluster ? await findMaster(client, key) : client
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

/**
 * Reads a key, and rejects if the server is not the master. GETEX with PERSIST counts as a write,
 * but changes nothing and needs no memory. A master that was replaced, and receives no more
 * entries, refuses it: as a replica (READONLY), or before that if its replicas have left it
 * (min-replicas-to-write).
 */
export async function readFromMaster(server: Redis, key: string): Promise<string | null> {
  try {
    return await server.getex(key, 'PERSIST')
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('MISCONF'))) throw error
    // A server that cannot save to its disk refuses every write, and says so before all else.
    const replication = await server.info('replication')
    const isMaster = /^role:master/m.test(replication)
    const needsReplicas = /^min_slaves_good_slaves:/m.test(replication)
    if (!isMaster || needsReplicas) throw error
    return server.get(key)
  }
}

async function findMaster(cluster: Cluster, key: string): Promise<Redis> {
  // The command follows the slot wherever it has moved, which updates the client's slot table.
  await cluster.getex(key, 'PERSIST')
  const master = masterOf(cluster, key)
  if (!master) throw new Error('no node of the cluster holds the slot')
  return master
}
