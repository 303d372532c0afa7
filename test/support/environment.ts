import type { TestContext } from 'node:test'
import { generateSecrets } from '../../src/config/secrets.ts'
import { cleanUp } from './clean-up.ts'
import { cloneDatabase } from './services/template.ts'

export type Env = Record<string, string>

/** Returns a variable that the test runner sets. Throws if it is missing. */
export function required(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set: run the tests by 'npm test'`)
  return value
}

/**
 * Returns the environment of a server on the test services, with its own database and secrets and
 * with the cheapest hashes. Tests that run at the same time share one Redis: a test that revokes
 * everything, or empties Redis, must start its own.
 */
export async function environment(t: TestContext, overrides: Env = {}): Promise<Env> {
  const database = await cloneDatabase()
  cleanUp(t, () => database.drop())
  const secrets = generateSecrets('EdDSA')
  return {
    HOST: '127.0.0.1',
    PORT: '0',
    ISSUER: 'https://auth.example.com',
    DATABASE_URL: database.url,
    REDIS_URL: required('TEST_REDIS_URL'),
    REFRESH_TOKEN_SECRET: secrets.refreshTokenSecret,
    ACCESS_TOKEN_PRIVATE_KEY: secrets.accessTokenPrivateKey,
    KEY_ENCRYPTION_SECRET: secrets.keyEncryptionSecret,
    ARGON2_MEMORY_KIB: '1024',
    RATE_LIMIT: 'off',
    METRICS: 'on',
    // A busy machine sometimes stops a process for longer than the default.
    REVOCATION_MAX_STALENESS: '10s',
    ...overrides,
  }
}

/** Returns all that a command on the database may need: no secrets and no Redis. */
export async function databaseEnvironment(t: TestContext): Promise<Env & { DATABASE_URL: string }> {
  const database = await cloneDatabase()
  cleanUp(t, () => database.drop())
  return { DATABASE_URL: database.url, ARGON2_MEMORY_KIB: '1024' }
}
