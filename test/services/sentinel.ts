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
const DOWN_AFTER_MS = 1_000

export interface SentinelTrio {
  /** `redis+sentinel://…`, all three of them. */
  url: string
  master: Service
  replica: Service
  sentinels: Service[]
  stop(): Promise<void>
}

/** A master, its replica, and three Sentinels that promote the one when the other has been silent for a second. */
export async function startSentinel(): Promise<SentinelTrio> {
  const master = await startRedis({ flags: ['--repl-diskless-sync-delay', '0'] })
  const replica = await startRedis({ flags: ['--replicaof', '127.0.0.1', String(master.port)] })
  const sentinels = await Promise.all([1, 2, 3].map(() => startWatcher(master.port)))
  await Promise.all(
    sentinels.map(({ url }) => untilTrue(() => knowsAll(url), 'the Sentinels know each other')),
  )
  const all = [...sentinels, replica, master]
  return {
    url: `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${NAME}`,
    master,
    replica,
    sentinels,
    async stop() {
      await Promise.all(all.map((service) => service.stop()))
    },
  }
}

async function startWatcher(masterPort: number): Promise<Service> {
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
        `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
        `sentinel failover-timeout ${NAME} 5000`,
      ]
      // It writes what it learns into this file.
      if (!existsSync(file)) await writeFile(file, `${lines.join('\n')}\n`)
      return leash(command, [file, '--sentinel'], { dir, env })
    },
    ask: ping,
  })
}

async function knowsAll(url: string): Promise<boolean> {
  const redis = new Redis(url, { retryStrategy: () => null, enableReadyCheck: false })
  try {
    const fields = (await redis.call('SENTINEL', 'MASTER', NAME)) as string[]
    const field = (name: string) => fields[fields.indexOf(name) + 1]
    const replicas = (await redis.call('SENTINEL', 'REPLICAS', NAME)) as string[][]
    const linked = replicas.some((replica) => replica[replica.indexOf('master-link-status') + 1] === 'ok')
    return linked && field('num-other-sentinels') === '2'
  } finally {
    redis.disconnect()
  }
}
