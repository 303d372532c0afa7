import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { findRedis } from './binaries.ts'
import { createFolder, leash } from './leash.ts'
import { ping, startRedis } from './redis.ts'
import { type Service, startService } from './service.ts'
import { untilTrue } from './until-true.ts'

const NAME = 'pawl'
/** Makes a replica begin to synchronise without a delay. */
const SYNC = ['--repl-diskless-sync-delay', '0']

export interface SentinelOptions {
  /** Further arguments of the command line of the master and the replica. */
  flags?: string[]
  /** Milliseconds without a reply after which a Sentinel considers the master down. */
  downAfter?: number
  /**
   * Milliseconds. After a failed failover, the Sentinels wait twice as long before the next one.
   */
  failoverTimeout?: number
  /**
   * How often, in milliseconds, a Sentinel polls the servers (`info`, 10 seconds by default) and
   * announces itself to the other Sentinels (`publish`, 2 seconds by default). A replaced master
   * that has come back becomes a replica after four announcements.
   */
  periods?: { info: number; publish: number }
}

export interface SentinelTrio {
  /** The master's name in Sentinel. */
  name: string
  /** A `redis+sentinel://…` URL with all three Sentinels. */
  url: string
  master: Service
  replica: Service
  sentinels: Service[]
  stop(): Promise<void>
}

/**
 * Starts a master, its replica, and three Sentinels. By default they promote the replica when the
 * master has been unavailable for a second.
 */
export async function startSentinel(options: SentinelOptions = {}): Promise<SentinelTrio> {
  const { flags = [], periods } = options
  const master = await startRedis({ flags: [...flags, ...SYNC] })
  const replica = await startRedis({
    flags: [...flags, ...SYNC, '--replicaof', '127.0.0.1', String(master.port)],
  })
  const sentinels = await Promise.all([1, 2, 3].map(() => startWatcher(master.port, options)))
  for (const { url } of sentinels) {
    for (const [name, ms] of Object.entries({ ...periods }))
      await onSentinel(url, (sentinel) => sentinel.call('SENTINEL', 'DEBUG', `${name}-period`, ms))
    await untilTrue(() => knowsAll(url), 'the Sentinels know each other')
  }
  const all = [...sentinels, replica, master]
  return {
    name: NAME,
    url: `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${NAME}`,
    master,
    replica,
    sentinels,
    async stop() {
      await Promise.all(all.map((service) => service.stop()))
    },
  }
}

async function startWatcher(
  masterPort: number,
  { downAfter = 1_000, failoverTimeout = 5_000 }: SentinelOptions,
): Promise<Service> {
  const { command, env } = await findRedis()
  return startService({
    name: 'Sentinel',
    url: (port) => `redis://127.0.0.1:${port}`,
    async launch(port, earlier) {
      const dir = earlier ?? (await createFolder())
      const file = join(dir, 'sentinel.conf')
      const lines = [
        `port ${port}`,
        'bind 127.0.0.1',
        `sentinel monitor ${NAME} 127.0.0.1 ${masterPort} 2`,
        `sentinel down-after-milliseconds ${NAME} ${downAfter}`,
        `sentinel failover-timeout ${NAME} ${failoverTimeout}`,
      ]
      // Sentinel writes its state into this file, so a restart must not overwrite it.
      if (!existsSync(file)) await writeFile(file, `${lines.join('\n')}\n`)
      return leash(command, [file, '--sentinel'], { dir, env })
    },
    ask: ping,
  })
}

async function onSentinel<T>(url: string, work: (sentinel: Redis) => Promise<T>): Promise<T> {
  const sentinel = new Redis(url, { retryStrategy: () => null, enableReadyCheck: false })
  try {
    return await work(sentinel)
  } finally {
    sentinel.disconnect()
  }
}

function knowsAll(url: string): Promise<boolean> {
  return onSentinel(url, async (sentinel) => {
    const fields = (await sentinel.call('SENTINEL', 'MASTER', NAME)) as string[]
    const field = (name: string) => fields[fields.indexOf(name) + 1]
    const replicas = (await sentinel.call('SENTINEL', 'REPLICAS', NAME)) as string[][]
    const linked = replicas.some(
      (replica) => replica[replica.indexOf('master-link-status') + 1] === 'ok',
    )
    return linked && field('num-other-sentinels') === '2'
  })
}
