import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import openSql, { type Sql } from 'postgres'
import { generateSecrets } from '../../src/config/secrets.ts'
import type { Env } from '../support/environment.ts'
import { startPostgres } from '../support/services/postgres.ts'
import type { Service } from '../support/services/service.ts'
import { createTemplateDatabase } from '../support/services/template.ts'
import { createLink, type Link } from './link.ts'
import { type Node, startNode } from './nodes.ts'
import type { RedisServers } from './topology.ts'

/**
 * Milliseconds. The whole life of a system takes half a minute. A stall is longer than the bound
 * and shorter than the grace period.
 */
export const GRACE = 4_000
export const MAX_STALENESS = 1_000
export const STALL = [1_200, 1_700] as const
export const ACCESS_TTL = 20_000

const SERVERS = 3
const RECOVERY_LIMIT = 60_000

/**
 * Three servers that run the module `entry`, each with its own link to Redis, and stores that
 * belong to them alone.
 */
export interface System<R extends RedisServers = RedisServers> {
  nodes: readonly Node[]
  /** The links of each server. */
  links: readonly (readonly Link[])[]
  redis: R
  /** A connection of the harness to the database of the servers. */
  sql: Sql
  /** The Postgres of the servers. */
  postgres: Service
  /** Sends a signal to every process of Postgres. */
  signalPostgres(signal: NodeJS.Signals): Promise<void>
  /** Ends Postgres by a signal to its main process, and starts it again on the same data. */
  restartPostgres(signal: NodeJS.Signals): Promise<void>
  /** Resolves when every server reports that its stores respond. Rejects if that takes too long. */
  recovered(): Promise<void>
  stop(): Promise<void>
}

export async function startSystem<R extends RedisServers>(
  entry: string,
  startServers: () => Promise<R>,
): Promise<System<R>> {
  const stack: (() => Promise<unknown>)[] = []
  const stop = async () => {
    for (const step of stack.splice(0).reverse()) await step()
  }
  try {
    const [redis, postgres] = await Promise.all([startServers(), startPostgres()])
    stack.push(redis.stop, postgres.stop)
    const { url } = await createTemplateDatabase(postgres.url)
    const sql = openSql(url, {
      max: 1,
      onnotice: () => {},
      fetch_types: false,
      backoff: () => 0.05,
      connection: { search_path: 'pawl' },
    })
    stack.push(() => sql.end({ timeout: 1 }))
    const env = { ...environment(url), ...redis.env }
    const links = await Promise.all(
      Array.from({ length: SERVERS }, () => Promise.all(redis.targets.map(createLink))),
    )
    stack.push(() => Promise.all(links.flat().map((link) => link.close())))
    const nodes = await Promise.all(
      links.map((own) =>
        startNode(entry, { ...env, REDIS_URL: redis.url(own.map(({ port }) => port)) }),
      ),
    )
    stack.push(() => Promise.all(nodes.map((node) => node.stop())))
    return {
      nodes,
      links,
      redis,
      sql,
      postgres,
      signalPostgres: (signal) => signalAll(postgres.dir, signal),
      async restartPostgres(signal) {
        await postgres.crash(signal)
        await postgres.restart()
      },
      recovered: () => recovered(nodes),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function environment(databaseUrl: string): Env {
  const secrets = generateSecrets('EdDSA')
  return {
    HOST: '127.0.0.1',
    PORT: '0',
    ISSUER: 'https://auth.example.com',
    DATABASE_URL: databaseUrl,
    REFRESH_TOKEN_SECRET: secrets.refreshTokenSecret,
    ACCESS_TOKEN_PRIVATE_KEY: secrets.accessTokenPrivateKey,
    KEY_ENCRYPTION_SECRET: secrets.keyEncryptionSecret,
    ARGON2_MEMORY_KIB: '1024',
    RATE_LIMIT: 'off',
    LOG_LEVEL: 'warn',
    GRACE: `${GRACE}ms`,
    ACCESS_TOKEN_TTL: `${ACCESS_TTL}ms`,
    REVOCATION_MAX_STALENESS: `${MAX_STALENESS}ms`,
  }
}

async function signalAll(dir: string, signal: NodeJS.Signals): Promise<void> {
  const [line] = (await readFile(join(dir, 'data/postmaster.pid'), 'utf8')).split('\n')
  const main = Number(line)
  // The main process first, so that it starts no more of the others.
  process.kill(main, signal)
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
  for (const row of stdout.trim().split('\n')) {
    const [pid, parent] = row.trim().split(/\s+/).map(Number)
    if (parent !== main || pid === undefined) continue
    try {
      process.kill(pid, signal)
    } catch {
      // It has ended in the meantime.
    }
  }
}

async function recovered(nodes: readonly Node[]): Promise<void> {
  const deadline = performance.now() + RECOVERY_LIMIT
  for (const node of nodes) {
    while (node.isRunning() && !(await isReady(node))) {
      if (performance.now() > deadline)
        throw new Error(`A server did not recover:\n${node.output()}`)
      await delay(50)
    }
  }
}

async function isReady(node: Node): Promise<boolean> {
  try {
    return (await fetch(`${node.url()}/health/ready`, { signal: AbortSignal.timeout(2_000) })).ok
  } catch {
    return false
  }
}
