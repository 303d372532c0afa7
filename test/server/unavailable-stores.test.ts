import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { TokenPair } from '../../src/schemas/token-pair.ts'
import { cleanUp } from '../support/clean-up.ts'
import { newEmail, newRetryKey, PASSWORD } from '../support/credentials.ts'
import { openSql } from '../support/database.ts'
import { environment, required } from '../support/environment.ts'
import { createProxy } from '../support/proxy.ts'
import { type ServerProcess, spawnServer, startServer } from '../support/server-process.ts'
import { signUpAt } from '../support/server-requests.ts'
import { startPostgres } from '../support/services/postgres.ts'
import { startRedis } from '../support/services/redis.ts'
import { createTemplateDatabase } from '../support/services/template.ts'
import { until } from '../support/until.ts'

interface ApiResponse {
  status: number
  headers: Headers
  body: TokenPair & { code?: string }
}

async function call(
  server: ServerProcess,
  path: string,
  body?: object,
  headers = {},
): Promise<ApiResponse> {
  const response = await fetch(`${server.url}${path}`, {
    method: body ? 'POST' : 'GET',
    headers: { ...(body && { 'content-type': 'application/json' }), ...headers },
    ...(body && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : {} }
}

/** Repeats the request until it succeeds. Every response until then must be a well-formed 503. */
async function recovers(request: () => Promise<ApiResponse>): Promise<ApiResponse> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const response = await request()
    if (response.status < 300) return response
    assertUnavailable(response)
    await delay(50)
  }
  throw new Error('it did not recover')
}

function assertUnavailable({ status, headers, body }: ApiResponse): void {
  assert.equal(status, 503)
  assert.equal(headers.get('content-type'), 'application/problem+json; charset=utf-8')
  assert.match(headers.get('retry-after') ?? '', /^\d+$/)
  assert.equal(body.code, 'AUTH_UNAVAILABLE')
}

const bearer = ({ accessToken }: TokenPair) => ({ authorization: `Bearer ${accessToken}` })

test('requests that need Redis get a 503 while it is unavailable', async (t) => {
  const redis = await startRedis()
  cleanUp(t, () => redis.stop())
  const server = await startServer(t, await environment(t, { REDIS_URL: redis.url }))
  const credentials = { email: newEmail(), password: PASSWORD }
  const pair = await signUpAt(server.url, credentials)

  await redis.crash('SIGKILL')
  assertUnavailable(await call(server, '/auth/refresh', { refreshToken: pair.refreshToken }))
  await until(async () => (await call(server, '/auth/me', undefined, bearer(pair))).status === 503)
  assertUnavailable(await call(server, '/auth/me', undefined, bearer(pair)))
  assertUnavailable(await call(server, '/auth/login', credentials))
  assertUnavailable(await call(server, '/health/ready'))
  assert.equal((await call(server, '/health/live')).status, 200)
  assert.equal((await call(server, '/.well-known/jwks.json')).status, 200)

  await redis.restart()
  assert.equal((await recovers(() => call(server, '/auth/login', credentials))).status, 200)
})

test('a retry after a Redis that did not respond is not taken for theft', async (t) => {
  const redis = await startRedis()
  cleanUp(t, () => redis.stop())
  const server = await startServer(t, await environment(t, { REDIS_URL: redis.url, GRACE: '0s' }))
  const pair = await signUpAt(server.url)
  const attempt = { 'idempotency-key': newRetryKey() }
  const refresh = () => call(server, '/auth/refresh', { refreshToken: pair.refreshToken }, attempt)

  redis.kill('SIGSTOP')
  assertUnavailable(await refresh())
  redis.kill('SIGCONT')
  // Redis now executes the command: the token is spent, and the client has no successor of it.
  const repaired = await recovers(refresh)
  const successor = repaired.body.refreshToken
  assert.equal((await call(server, '/auth/refresh', { refreshToken: successor })).status, 200)
})

test('refreshes and authentication continue while Postgres is unavailable', async (t) => {
  const postgres = await startPostgres()
  cleanUp(t, () => postgres.stop())
  const database = await createTemplateDatabase(postgres.url)
  const server = await startServer(t, await environment(t, { DATABASE_URL: database.url }))
  const credentials = { email: newEmail(), password: PASSWORD }
  const pair = await signUpAt(server.url, credentials)

  await postgres.crash('SIGQUIT')
  assertUnavailable(await call(server, '/auth/login', credentials))
  const next = await call(server, '/auth/refresh', { refreshToken: pair.refreshToken })
  assert.equal(next.status, 200)
  // The logout cannot be committed, so it is not acknowledged, and the session continues.
  assertUnavailable(await call(server, '/auth/logout', { refreshToken: next.body.refreshToken }))
  assertUnavailable(await call(server, '/health/ready'))

  await postgres.restart()
  await recovers(() => call(server, '/auth/logout', { refreshToken: next.body.refreshToken }))
  assert.equal((await call(server, '/auth/me', undefined, bearer(next.body))).status, 401)
})

test('theft found while Postgres is unavailable ends the session at once', async (t) => {
  const postgres = await startPostgres()
  cleanUp(t, () => postgres.stop())
  const database = await createTemplateDatabase(postgres.url)
  const server = await startServer(
    t,
    await environment(t, { DATABASE_URL: database.url, GRACE: '0s' }),
  )
  const first = await signUpAt(server.url)
  const refresh = (refreshToken: string) => call(server, '/auth/refresh', { refreshToken })
  const second = (await refresh(first.refreshToken)).body
  const third = (await refresh(second.refreshToken)).body

  await postgres.crash('SIGQUIT')
  assertUnavailable(await refresh(first.refreshToken))
  const thief = await refresh(third.refreshToken)
  assert.notEqual(thief.status, 200)

  await postgres.restart()
  // No further request is necessary: the process that found the theft records it when it can.
  const sql = openSql(t, { DATABASE_URL: database.url })
  const reuses = () =>
    sql`select session_id, detail from security_events where type = 'reuse_found'`
  await until(async () => (await reuses()).length > 0)
  const [session] = await sql`select revoked_reason from sessions`
  assert.equal(session?.revoked_reason, 'reuse')
  const events = await reuses()
  assert.deepEqual(
    events.map(({ session_id }) => session_id),
    [first.sessionId],
  )
  assert.equal(events[0]?.detail.presentedGeneration, 1)
  assert.equal(events[0]?.detail.currentGeneration, 3)
  assert.equal((await refresh(third.refreshToken)).status, 401)
})

function withPath(url: string, path: string): string {
  return Object.assign(new URL(url), { pathname: path }).href
}

test('a server that cannot use its stores exits with a message without secrets', async (t) => {
  const env = await environment(t)
  const closedPort = '127.0.0.1:1'
  const cases: [Record<string, string>, string][] = [
    [
      { REDIS_URL: `redis://:a-password@${closedPort}` },
      `Redis at ${closedPort}: cannot be reached`,
    ],
    [
      { DATABASE_URL: `postgres://pawl:a-password@${closedPort}/pawl` },
      `Postgres at ${closedPort}: cannot be reached`,
    ],
    [
      { DATABASE_URL: withPath(required('TEST_DATABASE_URL'), '/nowhere') },
      'database "nowhere" does not exist',
    ],
    [{ GRACE: 'soon', PORT: 'three' }, 'GRACE must be'],
    [{ DATABASE_URL: required('TEST_DATABASE_URL') }, "run 'pawl migrate' first"],
  ]
  await Promise.all(
    cases.map(async ([overrides, message]) => {
      const server = spawnServer(t, { ...env, ...overrides })
      assert.equal(await server.ended, 1, message)
      assert.ok(server.output().includes(message), server.output())
      assert.ok(!server.output().includes('a-password'))
    }),
  )
})

test('a connection that drops all packets is replaced, to Redis and to Postgres', async (t) => {
  const env = await environment(t)
  const redis = await createProxy(t, env.REDIS_URL ?? '')
  const postgres = await createProxy(t, env.DATABASE_URL ?? '')
  const server = await startServer(t, { ...env, REDIS_URL: redis.url, DATABASE_URL: postgres.url })
  const credentials = { email: newEmail(), password: PASSWORD }
  const pair = await signUpAt(server.url, credentials)
  redis.dropPackets()
  await recovers(() => call(server, '/auth/refresh', { refreshToken: pair.refreshToken }))
  postgres.dropPackets()
  await recovers(() => call(server, '/auth/login', credentials))
})

test('the start fails in time if Postgres accepts connections and never responds', async (t) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  cleanUp(t, async () => silent.close())
  const { port } = silent.address() as AddressInfo
  const env = await environment(t, { DATABASE_URL: `postgres://pawl@127.0.0.1:${port}/pawl` })
  const server = spawnServer(t, env)
  assert.equal(await server.ended, 1)
  assert.ok(
    server.output().includes(`Postgres at 127.0.0.1:${port}: cannot be reached`),
    server.output(),
  )
})

test('a server that starts before its stores waits for them', async (t) => {
  const [redis, postgres] = await Promise.all([startRedis(), startPostgres()])
  cleanUp(t, () => Promise.all([redis.stop(), postgres.stop()]))
  const database = await createTemplateDatabase(postgres.url)
  await Promise.all([redis.crash('SIGKILL'), postgres.crash('SIGQUIT')])
  const server = startServer(
    t,
    await environment(t, { REDIS_URL: redis.url, DATABASE_URL: database.url }),
  )
  await Promise.all([redis.restart(), postgres.restart()])
  assert.equal((await call(await server, '/health/ready')).status, 200)
})

test('a port that is in use ends the process with a message', async (t) => {
  const env = await environment(t)
  const { url } = await startServer(t, env)
  const second = spawnServer(t, { ...env, PORT: new URL(url).port })
  assert.equal(await second.ended, 1)
  assert.match(second.output(), /EADDRINUSE/)
})

/** Starts a login and withholds its body, so that it is in flight until the test finishes it. */
async function startLogin(server: ServerProcess) {
  const { hostname, port } = new URL(server.url)
  const body = JSON.stringify({ email: newEmail(), password: PASSWORD })
  const socket = connect(Number(port), hostname)
  let response = ''
  socket.on('data', (chunk) => {
    response += chunk
  })
  const closed = once(socket, 'close')
  const head = [
    'POST /auth/login HTTP/1.1',
    'Host: pawl',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  await server.printed('incoming request')
  return {
    async finish() {
      socket.write(body)
      await closed
      return response
    },
  }
}

test('SIGTERM lets requests in flight finish and ends the process with code 0', async (t) => {
  const server = await startServer(t, await environment(t))
  const login = await startLogin(server)
  server.child.kill('SIGTERM')
  await server.printed('stopping')
  assert.match(await login.finish(), /^HTTP\/1\.1 401 [\s\S]*AUTH_INVALID_CREDENTIALS/)
  assert.equal(await server.ended, 0, server.output())
})

test('a second signal ends the process at once', async (t) => {
  const server = await startServer(t, await environment(t))
  await startLogin(server)
  server.child.kill('SIGTERM')
  await server.printed('stopping')
  server.child.kill('SIGTERM')
  assert.equal(await server.ended, 1)
})
