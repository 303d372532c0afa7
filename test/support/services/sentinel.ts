import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { findRedis } from './binaries.ts'
import type { Certificate } from './certificate.ts'
import { createFolder, leash } from './leash.ts'
import { ping, pingTls, startRedis, startSecureRedis } from './redis.ts'
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
  /** With these, servers and Sentinels demand the password, and accept only TLS. */
  security?: { certificate: Certificate; password: string }
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
  const { flags = [], periods, security } = options
  const login = security && ['--requirepass', security.password, '--masterauth', security.password]
  const start = (...own: string[]) => {
    const all = [...flags, ...SYNC, ...(login ?? []), ...own]
    return security
      ? startSecureRedis({ certificate: security.certificate, flags: all })
      : startRedis({ flags: all })
  }
  const master = await start()
  const replica = await start('--replicaof', '127.0.0.1', String(master.port))
  const sentinels = await Promise.all([1, 2, 3].map(() => startWatcher(master.port, options)))
  for (const { url } of sentinels) {
    for (const [name, ms] of Object.entries({ ...periods }))
      await onSentinel(url, options, (sentinel) =>
        sentinel.call('SENTINEL', 'DEBUG', `${name}-period`, ms),
      )
    await untilTrue(() => knowsAll(url, options), 'the Sentinels know each other')
  }
  const all = [...sentinels, replica, master]
  return {
    name: NAME,
    url: urlOf(sentinels, security?.password),
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
  { downAfter = 1_000, failoverTimeout = 5_000, security }: SentinelOptions,
): Promise<Service> {
  const { command, env } = await findRedis()
  return startService({
    name: 'Sentinel',
    url: (port) => `${security ? 'rediss' : 'redis'}://127.0.0.1:${port}`,
    async launch(port, earlier) {
      const dir = earlier ?? (await createFolder())
      const file = join(dir, 'sentinel.conf')
      const lines = [
        ...(security ? ['port 0', `tls-port ${port}`] : [`port ${port}`]),
        ...(security?.certificate.settings ?? []).map(([setting, value]) => `${setting} ${value}`),
        'bind 127.0.0.1',
        `sentinel monitor ${NAME} 127.0.0.1 ${masterPort} 2`,
        `sentinel down-after-milliseconds ${NAME} ${downAfter}`,
        `sentinel failover-timeout ${NAME} ${failoverTimeout}`,
        ...(security
          ? [
              `sentinel auth-pass ${NAME} ${security.password}`,
              `requirepass ${security.password}`,
              `sentinel sentinel-pass ${security.password}`,
            ]
          : []),
      ]
      // Sentinel writes its state into this file, so a restart must not overwrite it.
      if (!existsSync(file)) await writeFile(file, `${lines.join('\n')}\n`)
      return leash(command, [file, '--sentinel'], { dir, env })
    },
    ask: security ? pingTls : ping,
  })
}

async function onSentinel<T>(
  url: string,
  { security }: SentinelOptions,
  work: (sentinel: Redis) => Promise<T>,
): Promise<T> {
  const sentinel = new Redis(url, {
    retryStrategy: () => null,
    enableReadyCheck: false,
    ...(security && { password: security.password, tls: { rejectUnauthorized: false } }),
  })
  try {
    return await work(sentinel)
  } finally {
    sentinel.disconnect()
  }
}

function knowsAll(url: string, options: SentinelOptions): Promise<boolean> {
  return onSentinel(url, options, async (sentinel) => {
    const fields = (await sentinel.call('SENTINEL', 'MASTER', NAME)) as string[]
    const field = (name: string) => fields[fields.indexOf(name) + 1]
    const replicas = (await sentinel.call('SENTINEL', 'REPLICAS', NAME)) as string[][]
    const linked = replicas.some(
      (replica) => replica[replica.indexOf('master-link-status') + 1] === 'ok',
    )
    return linked && field('num-other-sentinels') === '2'
  })
}

function urlOf(sentinels: readonly Service[], password: string | undefined): string {
  const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')
  if (password === undefined) return `redis+sentinel://${hosts}/${NAME}`
  return `rediss+sentinel://:${password}@${hosts}/${NAME}?sentinelPassword=${password}`
}
