import { spawn } from 'node:child_process'
import { generateSecrets } from '../src/config/secrets.ts'
import { startPostgres } from '../test/support/services/postgres.ts'
import { startRedis } from '../test/support/services/redis.ts'
import type { Service } from '../test/support/services/service.ts'
import { createTemplateDatabase } from '../test/support/services/template.ts'
import type { Seed, Session } from './contenders/seed.ts'

/** A process that takes part in a comparison. */
export interface Contender {
  name: string
  url: string
  pid: number
  /** Seconds after the seed for which its sessions are valid and fresh. */
  freshFor?: number
  seed(wanted: Seed): Promise<Session[]>
  stop(): Promise<void>
}

/** A real Redis and a real Postgres for one comparison. */
export interface Stores {
  redis: Service
  postgres: Service
  stop(): Promise<void>
}

export async function startStores(): Promise<Stores> {
  const [redis, postgres] = await Promise.all([startRedis(), startPostgres()])
  return {
    redis,
    postgres,
    async stop() {
      await Promise.all([redis.stop(), postgres.stop()])
    },
  }
}

/** Returns the environment of a Pawl server, with a new database and new secrets. */
export async function pawlEnvironment({ redis, postgres }: Stores) {
  const database = await createTemplateDatabase(postgres.url)
  const secrets = generateSecrets('EdDSA')
  return {
    ISSUER: 'https://auth.example.com',
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    REFRESH_TOKEN_SECRET: secrets.refreshTokenSecret,
    ACCESS_TOKEN_PRIVATE_KEY: secrets.accessTokenPrivateKey,
    KEY_ENCRYPTION_SECRET: secrets.keyEncryptionSecret,
    RATE_LIMIT: 'off',
    METRICS: 'on',
    LOG_LEVEL: 'warn',
    // Server and load generator share a machine, which sometimes stops a process for longer than
    // the default staleness limit.
    REVOCATION_MAX_STALENESS: '10s',
  }
}

export interface Program {
  name: string
  file: string
  env: NodeJS.ProcessEnv
  /** Options of Node.js. */
  flags?: readonly string[]
  cwd?: string
}

/**
 * Starts a module that listens, prints its address and serves `POST /bench/seed`. The module's
 * process is killed when this process exits.
 */
export async function startContender({
  name,
  file,
  env,
  flags = [],
  cwd,
}: Program): Promise<Contender> {
  const child = spawn(process.execPath, [...flags, file], {
    ...(cwd && { cwd }),
    env: { PATH: process.env.PATH, NODE_ENV: 'production', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const url = await new Promise<string>((resolve, reject) => {
    let output = ''
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`${name} exited before it listened:\n${output}`)))
    child.stdout.on('data', (chunk) => {
      if (output.length > 10_000) return
      output += chunk
      const [, found] = /Server listening at (http:[^"\s]+)/.exec(output) ?? []
      if (found) resolve(found)
    })
  })
  return {
    name,
    url,
    pid: child.pid ?? 0,
    async seed(wanted) {
      const response = await fetch(`${url}/bench/seed`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(wanted),
      })
      if (!response.ok)
        throw new Error(`${name}: could not create sessions: ${await response.text()}`)
      return (await response.json()) as Session[]
    },
    async stop() {
      process.off('exit', kill)
      if (child.exitCode !== null || child.signalCode !== null) return
      kill()
      await new Promise((resolve) => child.once('exit', resolve))
    },
  }
}
