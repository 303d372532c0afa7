import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseEnv } from 'node:util'
import { Redis } from 'ioredis'
import { loadConfig, loadDatabaseConfig } from '../../src/config/config.ts'
import { ENVIRONMENT } from '../../src/config/environment.ts'
import { generateSecrets } from '../../src/config/secrets.ts'
import { cleanUp } from '../support/clean-up.ts'
import { runCli } from '../support/cli-process.ts'
import { readCompose, type Service, variables } from '../support/deploy/compose-file.ts'
import { all, variables as imageVariables, readDockerfile } from '../support/deploy/dockerfile.ts'
import type { Env } from '../support/environment.ts'
import { startRedis } from '../support/services/redis.ts'

const secrets = generateSecrets('EdDSA')
const DOTENV = {
  REFRESH_TOKEN_SECRET: secrets.refreshTokenSecret,
  ACCESS_TOKEN_PRIVATE_KEY: secrets.accessTokenPrivateKey,
  KEY_ENCRYPTION_SECRET: secrets.keyEncryptionSecret,
  POSTGRES_PASSWORD: 'as-generated-by-the-command',
  REDIS_PASSWORD: 'also-generated-by-the-command',
}

const image = readDockerfile().at(-1)

function keepsRunning(service: Service) {
  return service.restart !== undefined
}

function hasHealthCheck(service: Service) {
  if (service.healthcheck) return !service.healthcheck.disable
  return service.build !== undefined && all(image, 'HEALTHCHECK').length === 1
}

test('The server, Postgres and Redis keep running, and the migrations service ends', () => {
  const { services } = readCompose(DOTENV)
  assert.deepEqual(Object.keys(services).sort(), ['migrate', 'postgres', 'redis', 'server'])
  const lasting = Object.keys(services).filter(
    (name) => services[name] && keepsRunning(services[name]),
  )
  assert.deepEqual(lasting.sort(), ['postgres', 'redis', 'server'])
})

test('Without the secrets Compose fails with the command that generates them', () => {
  for (const name of Object.keys(DOTENV)) {
    const refusal = new RegExp(`${name} is missing a value: .*pawl -- secrets > \\.env`)
    assert.throws(() => readCompose({ ...DOTENV, [name]: '' }), refusal)
  }
})

test('Pawl knows every variable that the image, the server and the migrations set', () => {
  const { services } = readCompose(DOTENV)
  const given = [imageVariables(image), variables(services.server), variables(services.migrate)]
  const known = new Set([...Object.values(ENVIRONMENT).map(({ name }) => name), 'NODE_ENV'])
  const unknown = given.flatMap((env) => Object.keys(env)).filter((name) => !known.has(name))
  assert.deepEqual(unknown, [])
})

test('The .env that pawl generates is enough for the server, with either algorithm', async () => {
  for (const algorithm of ['EdDSA', 'ES256']) {
    const dotenv = parseEnv((await runCli(['secrets', '--alg', algorithm])).stdout) as Env
    const { server } = readCompose(dotenv).services
    assert.deepEqual(server?.env_file, [{ path: '.env', required: false }])
    const config = loadConfig({ ...imageVariables(image), ...dotenv, ...variables(server) })
    assert.equal(config.accessTokenAlg, algorithm)
    assert.equal(config.issuer, 'http://localhost:3000')
    assert.equal(config.host, '0.0.0.0')
  }
})

test('PORT changes the published port and the issuer, but not the port in the container', () => {
  const { services } = readCompose({ ...DOTENV, PORT: '8080', HOST: '127.0.0.1' })
  const config = loadConfig({ PORT: '8080', HOST: '127.0.0.1', ...variables(services.server) })
  assert.deepEqual(services.server?.ports, ['8080:3000'])
  assert.equal(config.issuer, 'http://localhost:8080')
  assert.equal(config.port, 3000)
  assert.equal(config.host, '0.0.0.0')
})

test('The server and the migrations use the user that the postgres service creates', () => {
  for (const dotenv of [DOTENV, { ...DOTENV, POSTGRES_PASSWORD: 'chosen' }]) {
    const { services } = readCompose(dotenv)
    const { POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB } = variables(services.postgres)
    const expected = `postgres://${POSTGRES_USER}:${POSTGRES_PASSWORD}@postgres:5432/${POSTGRES_DB}`
    assert.equal(loadConfig(variables(services.server)).databaseUrl, expected)
    assert.equal(loadDatabaseConfig(variables(services.migrate)).databaseUrl, expected)
  }
})

test('Redis accepts the server with the password of .env, and nobody without it', async (t) => {
  const dotenv = parseEnv((await runCli(['secrets'])).stdout) as Env
  const { redis, server } = readCompose(dotenv).services
  const [program, ...flags] = redis?.command ?? []
  assert.equal(program, 'redis-server')
  const service = await startRedis({ flags })
  cleanUp(t, () => service.stop())
  const reply = async (url: URL) => {
    const client = new Redis(url.href, { enableReadyCheck: false })
    client.on('error', () => {})
    cleanUp(t, async () => client.disconnect())
    return client.ping()
  }
  const url = new URL(variables(server).REDIS_URL ?? '')
  url.host = new URL(service.url).host
  assert.equal(await reply(url), 'PONG')
  assert.equal(variables(redis).REDISCLI_AUTH, url.password)
  await assert.rejects(reply(new URL(service.url)), /NOAUTH/)
})

test('Only the server can be reached from outside the host', () => {
  const { server, ...others } = readCompose(DOTENV).services
  assert.deepEqual(server?.ports, ['3000:3000'])
  const published = Object.values(others).flatMap((service) => service.ports ?? [])
  assert.deepEqual(published.sort(), ['127.0.0.1:5432:5432', '127.0.0.1:6379:6379'])
})

test('Every service that keeps running has a health check', () => {
  const { services } = readCompose(DOTENV)
  for (const [name, service] of Object.entries(services)) {
    assert.equal(hasHealthCheck(service), keepsRunning(service), name)
  }
})

test('A service waits for the health of a running service or the end of another', () => {
  const { services } = readCompose(DOTENV)
  for (const service of Object.values(services)) {
    for (const [name, { condition }] of Object.entries(service.depends_on ?? {})) {
      const other = services[name]
      assert.ok(other, `${name} is a service`)
      assert.equal(
        condition,
        keepsRunning(other) ? 'service_healthy' : 'service_completed_successfully',
      )
    }
  }
})

test('The declared volumes are exactly those that the services mount', () => {
  const { services, volumes } = readCompose(DOTENV)
  const mounted = Object.values(services).flatMap((service) => service.volumes ?? [])
  const names = mounted.map((mount) => mount.split(':')[0])
  assert.deepEqual(names.sort(), Object.keys(volumes).sort())
})

test('Redis writes the sessions to disk and never evicts one', () => {
  const command = readCompose(DOTENV).services.redis?.command?.join(' ')
  assert.match(
    command ?? '',
    /--appendonly yes --appendfsync everysec --maxmemory-policy noeviction$/,
  )
})

test('Docker gives the server more time to stop than it needs', () => {
  const { server } = readCompose(DOTENV).services
  // Docker's default is 10 seconds, and the server allows in-flight requests the same time.
  assert.ok(Number.parseInt(server?.stop_grace_period ?? '', 10) > 10)
})
