import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, loadConfig } from '../../src/config/config.ts'
import { ENVIRONMENT, SECTIONS } from '../../src/config/environment.ts'
import { generateSecrets } from '../../src/config/secrets.ts'

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env)
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.problems
  }
}

const production = () => {
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

test('nothing set is the embedded default, on loopback, and frozen', () => {
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

test('with stores of its own it has no default for any secret', () => {
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

test('every problem is listed at once, by name, and no value is repeated', () => {
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

test('one store without the other is a problem', () => {
  const { REDIS_URL: _, ...withoutRedis } = production()
  assert.equal(problemsOf(withoutRedis).length, 1)
  assert.equal(problemsOf({ REDIS_URL: 'redis://cache' }).length, 1)
})

test('the signing key has to be one for the algorithm', () => {
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

test('durations that make no sense are problems: no life at all, a grace beyond it', () => {
  for (const name of ['ACCESS_TOKEN_TTL', 'REFRESH_IDLE_TTL', 'SESSION_MAX_TTL'])
    assert.ok(
      problemsOf({ [name]: '0s' }).some((problem) => problem.startsWith(name)),
      name,
    )
  assert.equal(problemsOf({ GRACE: '8d' }).length, 1)
  assert.equal(problemsOf({ GRACE: '0s' }).length, 0)
})

test('a webhook is reached by TLS or on this machine, and its secrets have the form of Standard Webhooks', () => {
  const secretOf = (bytes: number) => `whsec_${Buffer.alloc(bytes, 0xff).toString('base64')}`
  const secret = secretOf(32)
  const problemsWith = (WEBHOOK_URL: string, WEBHOOK_SECRET = secret) =>
    problemsOf({ WEBHOOK_URL, WEBHOOK_SECRET })
  const good = [
    'https://hooks.example.com/pawl?for=events',
    'https://user:p%40ss@hooks.example.com',
    'http://localhost:8080/hook',
    'http://127.0.0.1/hook',
    'http://[::1]:9000',
  ]
  for (const url of good) assert.deepEqual(problemsWith(url), [], url)
  const bad = [
    'http://hooks.example.com',
    'http://127.example.com',
    'http://10.0.0.1/hook',
    'ftp://localhost',
    'hooks.example.com',
    'https://user:p%ss@hooks.example.com',
  ]
  for (const url of bad) {
    const problems = problemsWith(url)
    assert.equal(problems.length, 1, url)
    assert.ok(!problems[0]?.includes(url))
  }
  const unpadded = secret.replaceAll('=', '')
  const urlSafe = secret.replaceAll('/', '_')
  for (const right of [secret, secretOf(24), secretOf(64), `${secret},${secretOf(24)}`])
    assert.deepEqual(problemsWith('https://hooks.example.com', right), [])
  for (const wrong of [
    ...['short', secretOf(1), 'x'.repeat(44), secret.slice('whsec_'.length), ` ${secret}`],
    ...[secretOf(23), secretOf(65), unpadded, urlSafe, secret.toUpperCase()],
    ...[`${secret},short`, `${secret},`, `${secret}, ${secret}`, `${secret},${secret},${secret}`],
  ]) {
    const [problem, ...others] = problemsWith('https://hooks.example.com', wrong)
    assert.match(problem ?? '', /^WEBHOOK_SECRET must be whsec_ followed by the base64 of /, wrong)
    assert.ok(!problem?.includes(wrong))
    assert.deepEqual(others, [])
  }
  assert.equal(problemsOf({ WEBHOOK_URL: 'https://hooks.example.com' }).length, 1)
  assert.equal(problemsOf({ WEBHOOK_SECRET: secret }).length, 1)
})

test('permissions of roles are JSON, of plain names', () => {
  const given = '{"editor":["invoices:write","invoices.read"],"reader":[]}'
  assert.deepEqual(loadConfig({ ROLE_PERMISSIONS: given }).rolePermissions, JSON.parse(given))
  assert.deepEqual(loadConfig({}).rolePermissions, {})
  assert.equal(loadConfig({}).tokenPermissions, false)
  assert.equal(loadConfig({ TOKEN_PERMISSIONS: 'on' }).tokenPermissions, true)
  const bad = [
    'editor',
    '[]',
    'null',
    '{"editor":"invoices:write"}',
    '{"editor":[1]}',
    '{"editor":["a b"]}',
    '{"editor":[""]}',
    '{"editor":["*"]}',
    '{"Editor":[]}',
    '{"__proto__":["a"]}',
    '{"editor":["secret-of-bad"]',
  ]
  for (const text of bad) {
    const problems = problemsOf({ ROLE_PERMISSIONS: text })
    assert.equal(problems.length, 1, text)
    assert.match(problems[0] ?? '', /^ROLE_PERMISSIONS must be JSON/)
    assert.ok(!problems.join().includes('secret-of-bad'))
  }
})

test('who may introspect is named with a good secret, in letters that every encoding leaves alone', () => {
  const secret = 'x'.repeat(32)
  const problemsWith = (clients: string) => problemsOf({ INTROSPECTION_CLIENTS: clients })
  for (const good of [`gateway:${secret}`, `gateway:${secret},gateway:${secret}y,other:${secret}`])
    assert.deepEqual(problemsWith(good), [])
  const bad = [
    secret,
    `:${secret}`,
    'gateway:short',
    `gateway:${secret}+`,
    `gateway:${secret},`,
    `a b:${secret}`,
  ]
  for (const clients of bad) {
    assert.equal(problemsWith(clients).length, 1, clients)
    assert.ok(!problemsWith(clients)[0]?.includes(clients))
  }
  assert.deepEqual(loadConfig({}).introspectionClients, [])
  assert.deepEqual(
    loadConfig({ INTROSPECTION_CLIENTS: `a:${secret},b:${secret}` }).introspectionClients,
    [
      { id: 'a', secret },
      { id: 'b', secret },
    ],
  )
})

test('an empty variable counts as unset', () => {
  assert.equal(loadConfig({ PORT: '', DATABASE_URL: '' }).port, 3000)
})

test('a Redis is one server, a cluster, or a master that Sentinels name', () => {
  const problemsWith = (url: string) => problemsOf({ ...production(), REDIS_URL: url })
  const good = [
    'redis://cache',
    'rediss://user:p%40ss@cache:6380/1',
    'redis://:with,comma@cache',
    'redis://[::1]:6379',
    'redis://one:1,redis://two:2',
    'rediss://user:secret@one,rediss://two',
    'redis+sentinel://one,two:26380/main',
    'redis+sentinel://user:secret@one,two/main?sentinelPassword=other',
    'rediss+sentinel://[::1]:1/main',
  ]
  for (const url of good) assert.deepEqual(problemsWith(url), [], url)
  const bad = [
    'cache:6379',
    'http://cache',
    'redis:cache',
    'redis://',
    'redis://:secret-of-bad%@cache',
    'redis://one,two',
    'redis://one,rediss://two',
    'redis://one,redis://',
    'redis://one/1,redis://two/1',
    'redis://:secret-of-bad@one,redis://:another@two',
    'redis://one,http://two',
    'redis+sentinel://one',
    'redis+sentinel:///main',
    'redis+sentinel://one,,two/main',
    'redis+sentinel://:secret-of-bad@one:port/main',
    'redis+sentinel://one/main/2',
  ]
  for (const url of bad) {
    const problems = problemsWith(url)
    assert.equal(problems.length, 1, url)
    assert.match(problems[0] ?? '', /^REDIS_URL must be a URL/)
    assert.ok(!problems.join().includes('secret-of-bad'))
  }
})

test('an origin is exact, as browsers send it, and never all of them', () => {
  const origins = 'https://app.example.com, http://localhost:5173'
  assert.deepEqual(loadConfig({ CORS_ORIGINS: origins }).corsOrigins, origins.split(', '))
  assert.deepEqual(loadConfig({ CORS_ORIGINS: '' }).corsOrigins, [])
  const bad = [
    '*',
    'https://*.example.com',
    'null',
    'app.example.com',
    'https://app.example.com/',
    'ftp://app',
  ]
  bad.push(
    'https://APP.example.com',
    'https://app.example.com:443',
    'https://user@app.example.com',
    'https://a,',
  )
  for (const origin of bad) {
    const problems = problemsOf({ CORS_ORIGINS: origin })
    assert.equal(problems.length, 1, origin)
    assert.match(problems[0] ?? '', /^CORS_ORIGINS must be/)
  }
})
