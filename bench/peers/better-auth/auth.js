import { redisStorage } from '@better-auth/redis-storage'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { Redis } from 'ioredis'
import pg from 'pg'
import { databaseUrl, newSecret, redisUrl } from '../common/environment.js'
import { hashPassword, verifyPassword } from '../common/passwords.js'

export const baseURL = 'https://auth.example.com'

export const pool = new pg.Pool({ connectionString: databaseUrl })

/**
 * Configures better-auth as its documentation recommends for production, with users in Postgres and
 * sessions in Redis, and creates its tables.
 */
export async function createAuth(options = {}) {
  const redis = new Redis(redisUrl, { enableAutoPipelining: true })
  const config = {
    baseURL,
    secret: newSecret(),
    database: pool,
    secondaryStorage: redisStorage({ client: redis }),
    emailAndPassword: {
      enabled: true,
      password: {
        hash: hashPassword,
        verify: ({ hash, password }) => verifyPassword(hash, password),
      },
    },
    user: { additionalFields: { role: { type: 'string', defaultValue: 'user', input: false } } },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    ...options,
  }
  const { runMigrations } = await getMigrations(config)
  await runMigrations()
  return betterAuth(config)
}
