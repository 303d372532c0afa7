import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { loadConfig } from '../../src/config/config.ts'
import { generateSecrets } from '../../src/config/secrets.ts'
import { logWeakSettings } from '../../src/config/weak-settings.ts'
import { buildServer } from '../../src/server.ts'
import { problemsOf, production } from '../support/config.ts'
import { newClientSecret } from '../support/credentials.ts'
import { type Env, environment } from '../support/environment.ts'
import { startServer } from '../support/server-process.ts'
import { newWebhookSecret } from '../support/webhook/receiver.ts'

const REPETITIVE = [
  'x'.repeat(32),
  'xy'.repeat(20),
  'a later secret '.repeat(3),
  'changeme-changeme-changeme-changeme',
  '0123456789abcdef0123456789abcdef',
  `${'0'.repeat(26)}123456`,
]

test('a secret that repeats itself is refused, and its text is not quoted', () => {
  const webhook = { WEBHOOK_URL: 'https://hooks.example.com' }
  for (const secret of REPETITIVE) {
    const plain = secret.replaceAll(' ', '-')
    const bytes = Buffer.from(secret).toString('base64')
    const wrong: Env[] = [
      { REFRESH_TOKEN_SECRET: secret },
      { KEY_ENCRYPTION_SECRET: secret },
      { KEY_ENCRYPTION_SECRET: `${secret},${randomBytes(32).toString('hex')}` },
      { INTROSPECTION_CLIENTS: `gateway:${plain}` },
      { SESSION_CLIENTS: `good:${newClientSecret()},bad:${plain}` },
      { ...webhook, WEBHOOK_SECRET: `whsec_${bytes}` },
    ]
    for (const env of wrong) {
      const [problem = '', ...others] = problemsOf({ ...production(), ...env })
      assert.deepEqual(others, [], JSON.stringify(env))
      assert.match(problem, /must be random, but it repeats itself or has few/, JSON.stringify(env))
      assert.ok(Object.keys(env).some((name) => problem.startsWith(name)))
      assert.ok(!problem.includes(secret) && !problem.includes(bytes))
    }
  }
  // A weak secret can be replaced.
  const replaced = {
    KEY_ENCRYPTION_SECRET: `${randomBytes(32).toString('base64')},${'x'.repeat(32)}`,
    ...webhook,
    WEBHOOK_SECRET: `${newWebhookSecret()},whsec_${Buffer.alloc(32).toString('base64')}`,
  }
  assert.deepEqual(problemsOf({ ...production(), ...replaced }), [])
})

test('secrets of any encoding that are random are accepted', () => {
  for (let count = 0; count < 200; count++)
    for (const encoding of ['hex', 'base64', 'base64url'] as const) {
      const secret = randomBytes(16 + (count % 48))
        .toString(encoding)
        .padEnd(32, '!#%')
      const env = { REFRESH_TOKEN_SECRET: secret, KEY_ENCRYPTION_SECRET: secret }
      assert.deepEqual(problemsOf({ ...production(), ...env }), [], secret)
    }
})

/** Returns the settings about which there is a warning. */
function warnings(env: Env): string[] {
  const settings: string[] = []
  logWeakSettings(loadConfig(env), {
    warn: (facts) => settings.push((facts as { setting: string }).setting),
  })
  return settings
}

test('argon2 below the minimum of OWASP is a warning, and its equivalents are none', () => {
  const argon2 = (memory: number, time: number) =>
    warnings({ ARGON2_MEMORY_KIB: String(memory), ARGON2_TIME: String(time) })
  for (const [memory, time] of [
    [19_456, 2],
    [65_536, 2],
    [19_456, 3],
    [12_288, 3],
    [9_216, 4],
    [7_168, 5],
    [7_168, 50],
  ] as const)
    assert.deepEqual(argon2(memory, time), [], `${memory} ${time}`)
  for (const [memory, time] of [
    [19_455, 2],
    [12_287, 3],
    [9_215, 4],
    [7_167, 5],
    [1_024, 100],
  ] as const)
    assert.deepEqual(argon2(memory, time), ['ARGON2_MEMORY_KIB'], `${memory} ${time}`)
})

test('an issuer with http and short passwords are warnings in production only', () => {
  const issuer = (ISSUER: string) => warnings({ ...production(), ISSUER })
  for (const url of [
    'http://auth.example.com',
    'http://10.0.0.1:3000',
    'http://localhost.evil.example',
  ])
    assert.deepEqual(issuer(url), ['ISSUER'], url)
  for (const url of [
    'https://auth.example.com',
    'http://localhost:3000',
    'http://127.0.0.1',
    'http://[::1]:1',
  ])
    assert.deepEqual(issuer(url), [], url)
  assert.deepEqual(warnings({ ...production(), PASSWORD_MIN_LENGTH: '14' }), [
    'PASSWORD_MIN_LENGTH',
  ])
  assert.deepEqual(warnings({ HOST: '0.0.0.0', PASSWORD_MIN_LENGTH: '8' }), [])
})

test('the warnings are in the log of a server, which starts', async (t) => {
  const env = await environment(t, { ISSUER: 'http://auth.example.com', PASSWORD_MIN_LENGTH: '8' })
  const { output } = await startServer(t, env)
  for (const setting of ['ARGON2_MEMORY_KIB', 'ISSUER', 'PASSWORD_MIN_LENGTH'])
    assert.match(output(), new RegExp(`"level":40.*"event":"weak_setting","setting":"${setting}"`))
})

const rsaKey = (modulusLength: number) =>
  generateKeyPairSync('rsa', { modulusLength })
    .privateKey.export({ format: 'der', type: 'pkcs8' })
    .toString('base64')

test('an RSA key below 3072 bits is refused', () => {
  for (const bits of [1024, 2048, 3064]) {
    const env = { ACCESS_TOKEN_ALG: 'RS256', ACCESS_TOKEN_PRIVATE_KEY: rsaKey(bits) }
    const [problem, ...others] = problemsOf({ ...production(), ...env })
    assert.match(problem ?? '', /^ACCESS_TOKEN_PRIVATE_KEY must be .* at least 3072 bits/)
    assert.deepEqual(others, [])
  }
})

test('a smaller RSA key that is stored already is a warning', async (t) => {
  const env = await environment(t, { ACCESS_TOKEN_ALG: 'RS256', LOG_LEVEL: 'fatal' })
  const accessTokenPrivateKey = generateSecrets('RS256').accessTokenPrivateKey
  const valid = { ...env, ACCESS_TOKEN_PRIVATE_KEY: accessTokenPrivateKey }
  await startOnce(valid, rsaKey(2048))
  const { output } = await startServer(t, { ...valid, LOG_LEVEL: 'info' })
  assert.match(output(), /"event":"weak_key","kid":"[\w-]+".*pawl keys rotate/)
})

/** Starts and stops a server with a key that the configuration would refuse. */
async function startOnce(env: Env, accessTokenPrivateKey: string) {
  const app = await buildServer({ ...loadConfig(env), accessTokenPrivateKey })
  await app.ready()
  await app.close()
}
