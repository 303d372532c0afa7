import { Cluster, Command, type Redis } from 'ioredis'
import type { RedisClient } from './client.ts'

/** The servers that hold data and can be asked now: of a cluster, the masters that are connected. */
export function serversOf(client: RedisClient): Redis[] {
  const servers = client instanceof Cluster ? client.nodes('master') : [client]
  return servers.filter(({ status }) => status === 'ready')
}

/** The one that a command on `key` is sent to, as far as the client knows the slots. */
export function serverOf(client: RedisClient, key: string): Redis | undefined {
  if (!(client instanceof Cluster)) return client
  const address = client.slots[new Command('get', [key]).getSlot() ?? 0]?.[0]
  return client.nodes('master').find(({ options }) => `${options.host}:${options.port}` === address)
}

/**
 * Calls back when a connection to a server ends, and when there is a new one: it may lead to another server, or to other
 * data. Returns what ends that.
 */
export function onConnectionChange(
  client: RedisClient,
  listener: (server: Redis) => void,
): () => void {
  const watched = new Map<Redis, () => void>()
  const watch = (server: Redis) => {
    const onChange = () => listener(server)
    server.on('ready', onChange).on('close', onChange)
    watched.set(server, () => server.off('ready', onChange).off('close', onChange))
  }
  const unwatch = (server: Redis) => {
    watched.get(server)?.()
    watched.delete(server)
    listener(server)
  }
  if (client instanceof Cluster) {
    client.nodes().forEach(watch)
    client.on('+node', watch).on('-node', unwatch)
  } else watch(client)
  return () => {
    client.off('+node', watch).off('-node', unwatch)
    for (const forget of watched.values()) forget()
  }
}
