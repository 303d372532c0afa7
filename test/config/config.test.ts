import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../src/config/config.ts'
import { ENVIRONMENT, SECTIONS } from '../../src/config/environment.ts'
import { generateSecrets } from '../../src/config/secrets.ts'
import { problemsOf, production } from '../support/config.ts'

test('an empty environment is the embedded default on loopback, and the result is frozen', () => {
  const config = loadConfig({})
  assert.equal(config.databaseUrl, undefined)
  assert.equal(config.host, '127.0.0.1')
  assert.equal(config.accessTokenTtl, 900_000)
  assert.equal(config.refreshIdleTtl, 7 * 86_400_000)
  assert.equal(config.grace, 30_000)
  for (const value of [config, config.corsOrigins, config.rolePermissions])
    assert.ok(Object.isFrozen(value))
})

test('a setting is named after its environment variable', () => {
  const exceptions: Record<string, string> = {
    PAWL_DATA_DIR: 'dataDir',
    WEBHOOK_SECRET: 'webhookSecrets',
  }
  const camelCase = (name: string) =>
    name.toLowerCase().replaceAll(/_(.)/g, (_, letter) => letter.toUpperCase())
  for (const [key, { name }] of Object.entries(ENVIRONMENT))
    assert.equal(key, exceptions[name] ?? camelCase(name))
  assert.deepEqual(Object.keys(loadConfig({})), Object.keys(ENVIRONMENT))
  assert.deepEqual(Object.values(SECTIONS).flatMap(Object.keys), Object.keys(ENVIRONMENT))
})

test('every default is valid', () => {
  for (const variable of Object.values(ENVIRONMENT))
    if (variable.default !== undefined) assert.ok(variable.isValid(variable.default), variable.name)
})

test('with DATABASE_URL, no secret has a default', () => {
  assert.deepEqual(problemsOf(production()), [])
  const { DATABASE_URL, REDIS_URL } = production()
  const problems = problemsOf({ DATABASE_URL, REDIS_URL })
  for (const name of [
    'ISSUER',
    'REFRESH_TOKEN_SECRET',
    'ACCESS_TOKEN_PRIVATE_KEY',
    'KEY_ENCRYPTION_SECRET',
  ])
    assert.ok(
      problems.some((problem) => problem.startsWith(name)),
      name,
    )
})

test('the error lists every problem by name and quotes no value', () => {
  const wrong = {
    ...production(),
    PORT: '99999',
    GRACE: 'soon-ish',
    ACCESS_TOKEN_TTL: '9999999d',
    SIGNUP: 'yes-please',
    REFRESH_TOKEN_SECRET: 'short-and-secret',
    ACCESS_TOKEN_PRIVATE_KEY: 'not-a-key-at-all',
    KEY_ENCRYPTION_SECRET: 'short-and-secret-too',
    KEY_ROTATION_AGE: 'never-ever',
    KEY_PUBLICATION_DELAY: 'a-while',
    DATABASE_URL: 'postgres://somebody:password-in-url@[db',
    TRUST_PROXY: 'the-proxy',
    CORS_ORIGINS: 'https://app.example.com,https://secret.example/path',
    ARGON2_MEMORY_KIB: 'lots',
    LOG_LEVEL: 'loud',
  }
  const problems = problemsOf(wrong)
  for (const name of Object.keys(wrong).filter(
    (name) => !(name === 'REDIS_URL' || name === 'ISSUER'),
  ))
    assert.ok(
      problems.some((problem) => problem.startsWith(name)),
      `${name} in ${problems.join('; ')}`,
    )
  for (const value of Object.values(wrong)) assert.ok(!problems.join('\n').includes(value), value)
})

test('DATABASE_URL and REDIS_URL require each other', () => {
  const { REDIS_URL: _, ...withoutRedis } = production()
  assert.equal(problemsOf(withoutRedis).length, 1)
  assert.equal(problemsOf({ REDIS_URL: 'redis://cache' }).length, 1)
})

test('the signing key must be one for the algorithm', () => {
  const keys = (['EdDSA', 'ES256', 'RS256'] as const).map(
    (alg) => [alg, generateSecrets(alg).accessTokenPrivateKey] as const,
  )
  for (const [alg] of keys) {
    for (const [other, key] of keys) {
      const env = {
        ...production(),
        ACCESS_TOKEN_ALG: alg,
        ACCESS_TOKEN_PRIVATE_KEY: key,
      }
      assert.equal(problemsOf(env).length, alg === other ? 0 : 1)
    }
  }
})

test('a lifetime must not be 0, and the grace period not longer than the idle lifetime', () => {
  for (const name of ['ACCESS_TOKEN_TTL', 'REFRESH_IDLE_TTL', 'SESSION_MAX_TTL'])
    assert.ok(
      problemsOf({ [name]: '0s' }).some((problem) => problem.startsWith(name)),
      name,
    )
  assert.equal(problemsOf({ GRACE: '8d' }).length, 1)
  assert.equal(problemsOf({ GRACE: '0s' }).length, 0)
})

test('an empty variable counts as not set', () => {
  assert.equal(loadConfig({ PORT: '', DATABASE_URL: '' }).port, 3000)
})
