import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../src/config/config.ts'
import { problemsOf, production } from '../support/config.ts'

test('the webhook needs TLS or this machine, and secrets in the form of Standard Webhooks', () => {
  const secretOf = (bytes: number) =>
    `whsec_${Buffer.from(Array.from({ length: bytes }, (_, index) => 255 - index)).toString('base64')}`
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

test('the permissions of roles are JSON with plain names', () => {
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

test('an introspection client has an id and a secret of unreserved characters', () => {
  const secret = 'Abcdefghijklmnopqrstuvwxyz.012-9'
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

test('REDIS_URL is one server, a cluster or Sentinels with the name of a master', () => {
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

test('a CORS origin is exact, as browsers send it, and never a wildcard', () => {
  const origins = [
    'https://app.example.com, http://localhost:5173, capacitor://localhost, ionic://localhost',
    'tauri://localhost, chrome-extension://abcdefghijklmnopabcdefghijklmnop',
    'moz-extension://0f3ac4b1-7d2e-4c5a-9b8f-1234567890ab, capacitor://app.example.com',
  ].join(', ')
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
    'capacitor://',
    'capacitor://localhost/',
    'capacitor://*',
    'capacitor://LOCALHOST',
    'tauri://user@localhost',
    'chrome-extension://*',
    'file://',
    'javascript://localhost',
    'Capacitor://localhost',
  )
  for (const origin of bad) {
    const problems = problemsOf({ CORS_ORIGINS: origin })
    assert.equal(problems.length, 1, origin)
    assert.match(problems[0] ?? '', /^CORS_ORIGINS must be/)
  }
})
