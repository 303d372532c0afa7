import { Redis } from 'ioredis'
import { startRedis } from '../services/redis.ts'
import type { Service } from '../services/service.ts'

/**
 * A form that Redis comes in, with what can happen to it. Each server reaches it through links of its own. There is one so
 * far, `createSingle`; a Sentinel trio and a cluster are others of the same shape.
 */
export interface Topology {
  name: string
  /** `REDIS_URL` for a server whose links lead through these ports, in the order of `targets`. */
  url(ports: readonly number[]): string
  /** Where the links lead, one each. Asked again for every connection. */
  targets: readonly (() => number)[]
  flush(): Promise<void>
  /** Signals the server that has the data. */
  kill(signal: NodeJS.Signals): void
  /** SIGKILL, and an empty server in its stead. */
  lose(): Promise<void>
  /**
   * Let a replica take over that was cut off before. `writing` is awaited in between: what Redis acknowledges in that time
   * is lost. `cut` breaks the connections of every server.
   */
  failOver(writing: () => Promise<unknown>, cut: () => void): Promise<void>
  stop(): Promise<void>
}

function operator(service: Service): Redis {
  const redis = new Redis(service.url, { maxRetriesPerRequest: 0, retryStrategy: () => 50 })
  redis.on('error', () => {})
  return redis
}

/** A master behind the links, and a replica that takes its place, turn and turn about. */
export async function createSingle(): Promise<Topology> {
  const [master, replica] = await Promise.all([startRedis(), startRedis()])
  let [active, standby] = [master, replica]
  const operators = new Map([master, replica].map((service) => [service, operator(service)]))

  async function on(service: Service, ...command: [string, ...string[]]): Promise<unknown> {
    return operators.get(service)?.call(...command)
  }

  async function replicate(): Promise<void> {
    await on(standby, 'REPLICAOF', '127.0.0.1', String(active.port))
    // Until it has everything it is no replica to fail over to.
    while (!String(await on(standby, 'INFO', 'replication')).includes('master_link_status:up'))
      await new Promise((resolve) => setTimeout(resolve, 20))
  }

  await on(standby, 'CONFIG', 'SET', 'replica-read-only', 'no')
  await on(active, 'CONFIG', 'SET', 'repl-diskless-sync-delay', '0')
  await on(standby, 'CONFIG', 'SET', 'repl-diskless-sync-delay', '0')
  return {
    name: 'single',
    url: ([port]) => `redis://127.0.0.1:${port}`,
    targets: [() => active.port],
    async flush() {
      await on(active, 'FLUSHALL')
    },
    kill: (signal) => active.kill(signal),
    async lose() {
      await active.crash('SIGKILL')
      await active.restart()
    },
    async failOver(writing, cut) {
      await replicate()
      await on(standby, 'REPLICAOF', 'NO', 'ONE')
      await writing()
      ;[active, standby] = [standby, active]
      cut()
      // The old master is gone, with what only it knew.
      await on(standby, 'FLUSHALL')
    },
    async stop() {
      for (const redis of operators.values()) redis.disconnect()
      await Promise.all([master.stop(), replica.stop()])
    },
  }
}
