import { Cluster, Command, type Redis } from 'ioredis'
import type { RedisClient } from './client.ts'

/** Returns the connected servers that hold data: of a cluster, the masters. */
export function connectedMasters(client: RedisClient): Redis[] {
  const masters = client instanceof Cluster ? client.nodes('master') : [client]
  return masters.filter(({ status }) => status === 'ready')
}

/**
 * Returns the server to which a command on `key` is sent, as far as the client knows the slots.
 *
 * ioredis 6.0.0 has no function for this, and no issue that asks for one was found. If one is
 * added, it replaces this look-up in the table of slots.
 */
export function masterOf(client: RedisClient, key: string): Redis | undefined {
  if (!(client instanceof Cluster)) return client
  const address = client.slots[new Command('get', [key]).getSlot() ?? 0]?.[0]
  return client.nodes('master').find(({ options }) => `${options.host}:${options.port}` === address)
}

/**
 * Calls `listener` when a connection to a server closes, and when there is a new one: it may lead
 * to another server, or to other data. Returns a function that stops this.
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
    for (const removeListeners of watched.values()) removeListeners()
  }
}
