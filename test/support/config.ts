import assert from 'node:assert/strict'
import { ConfigError, loadConfig } from '../../src/config/config.ts'
import { generateSecrets } from '../../src/config/secrets.ts'

/** Returns the problems of this environment, or none if it is valid. */
export function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env)
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.problems
  }
}

/** Returns a valid environment with stores and new secrets. */
export const production = () => {
  const { refreshTokenSecret, accessTokenPrivateKey, keyEncryptionSecret } =
    generateSecrets('EdDSA')
  return {
    DATABASE_URL: 'postgres://pawl@db/pawl',
    REDIS_URL: 'redis://cache',
    ISSUER: 'https://auth.example.com',
    REFRESH_TOKEN_SECRET: refreshTokenSecret,
    ACCESS_TOKEN_PRIVATE_KEY: accessTokenPrivateKey,
    KEY_ENCRYPTION_SECRET: keyEncryptionSecret,
  }
}
