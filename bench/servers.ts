import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { generateSecrets } from '../src/secrets.ts'
import { startPostgres } from '../test/services/postgres.ts'
import { startRedis } from '../test/services/redis.ts'
import { createTemplateDatabase } from '../test/services/template.ts'

const ENTRY = fileURLToPath(new URL('../src/server.ts', import.meta.url))

export interface Servers {
  urls: string[]
  stop(): Promise<void>
}

/** So many server processes on a Redis and a Postgres of their own, as cheap at hashing as they get. */
export async function startServers(count: number): Promise<Servers> {
  const [redis, postgres] = await Promise.all([startRedis(), startPostgres()])
  const database = await createTemplateDatabase(postgres.url)
  const secrets = generateSecrets('EdDSA')
  const env = {
    PATH: process.env.PATH,
    PORT: '0',
    ISSUER: 'https://auth.example.com',
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    REFRESH_TOKEN_SECRET: secrets.refreshTokenSecret,
    ACCESS_TOKEN_PRIVATE_KEY: secrets.accessTokenKey,
    KEY_ENCRYPTION_SECRET: secrets.keyEncryptionSecret,
    ARGON2_MEMORY_KIB: '1024',
    RATE_LIMIT: 'off',
  }
  const children = Array.from({ length: count }, () =>
    spawn(process.execPath, ['--import', 'tsx', ENTRY], { env, stdio: ['ignore', 'pipe', 'inherit'] }),
  )
  const urls = await Promise.all(
    children.map(
      (child) =>
        new Promise<string>((resolve, reject) => {
          let output = ''
          child.once('exit', () => reject(new Error(`a server ended:\n${output}`)))
          child.stdout.on('data', (chunk) => {
            if (output.length > 10_000) return
            output += chunk
            const [, url] = /Server listening at (http:[^"]+)/.exec(output) ?? []
            if (url) resolve(url)
          })
        }),
    ),
  )
  return {
    urls,
    async stop() {
      for (const child of children) child.kill('SIGKILL')
      await Promise.all([redis.stop(), postgres.stop()])
    },
  }
}
