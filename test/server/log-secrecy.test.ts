import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import type { Sql } from 'postgres'
import { cleanUp } from '../support/clean-up.ts'
import { newEmail, newRetryKey } from '../support/credentials.ts'
import { openSql } from '../support/database.ts'
import { type Env, environment, required } from '../support/environment.ts'
import { expired, forgeries } from '../support/forgeries.ts'
import { request } from '../support/raw-http.ts'
import { useCookies } from '../support/secretive-cookies.ts'
import {
  assertSecrecy,
  createClient,
  newPassword,
  note,
  noteToken,
  type SecretiveClient,
  type Secrets,
} from '../support/secrets.ts'
import { startServer } from '../support/server-process.ts'
import { startRedis } from '../support/services/redis.ts'
import { until } from '../support/until.ts'
import { newWebhookSecret, startReceiver } from '../support/webhook/receiver.ts'

interface Credentials {
  email: string
  password: string
}

async function liveALife(
  { post, bear }: SecretiveClient,
  credentials: Credentials,
  secrets: Secrets,
): Promise<void> {
  assert.equal((await post('/auth/signup', credentials)).status, 201)
  assert.equal((await post('/auth/signup', credentials)).status, 409)
  const wrong = { ...credentials, password: newPassword(secrets) }
  assert.equal((await post('/auth/login', wrong)).status, 401)
  assert.equal((await post('/auth/login', { ...wrong, email: newEmail() })).status, 401)

  const { pair: first } = await post('/auth/login', credentials)
  assert.equal((await bear(first.accessToken)).status, 200)
  const key = { 'Idempotency-Key': note(secrets, 'an Idempotency-Key', newRetryKey()) }
  const { pair: second } = await post('/auth/refresh', { refreshToken: first.refreshToken }, key)
  // A replay by its key, then one without: the grace is over at once, and that is theft.
  assert.equal((await post('/auth/refresh', { refreshToken: first.refreshToken }, key)).status, 200)
  const { pair: third } = await post('/auth/refresh', { refreshToken: second.refreshToken })
  assert.equal((await post('/auth/refresh', { refreshToken: first.refreshToken })).status, 401)
  assert.equal((await post('/auth/refresh', { refreshToken: third.refreshToken })).status, 401)
  assert.equal((await bear(third.accessToken)).status, 401)

  for (const how of ['body', 'access', 'refresh'] as const) {
    const { pair } = await post('/auth/login', credentials)
    if (how === 'body')
      assert.equal((await post('/auth/logout', { refreshToken: pair.refreshToken })).status, 204)
    else assert.equal((await bear(pair[`${how}Token`], 'POST', '/auth/logout')).status, 204)
  }
  const { pair } = await post('/auth/login', credentials)
  const bearing = { Authorization: `Bearer ${pair.accessToken}` }
  const { password } = credentials
  const next = newPassword(secrets)
  const change = (currentPassword: string, newPassword: string) =>
    post('/auth/password', { currentPassword, newPassword }, bearing)
  assert.equal((await change(next, wrong.password)).status, 403)
  assert.equal((await change(password, next)).status, 204)
  assert.equal((await change(next, password)).status, 204)
  assert.equal((await bear(pair.accessToken, 'GET', '/auth/sessions')).status, 200)

  // One more than a user may have.
  for (let count = 0; count < 3; count++)
    assert.equal((await post('/auth/login', credentials)).status, 200)
}

/** What gateways and libraries do, rightly and wrongly. */
async function useOauth(
  client: SecretiveClient,
  env: Env,
  credentials: Credentials,
  secrets: Secrets,
) {
  const { submit, post, send } = client
  const { pair } = await post('/auth/login', credentials)
  const [id = '', secret = ''] = env.INTROSPECTION_CLIENTS?.split(':') ?? []
  const basic = (text: string) => ({
    Authorization: `Basic ${note(secrets, 'credentials', Buffer.from(text).toString('base64'))}`,
  })
  const right = basic(`${id}:${secret}`)
  for (const token of [pair.accessToken, pair.refreshToken]) {
    const asked = { token, token_type_hint: 'refresh_token' }
    assert.equal((await submit('/oauth/introspect', asked, right)).status, 200)
    assert.equal(
      (await submit('/oauth/introspect', { token }, basic(`${secret}:${id}`))).status,
      401,
    )
    assert.equal((await submit('/oauth/introspect', { [token]: token }, right)).status, 400)
    await submit('/oauth/revoke', { [token]: secret, client_secret: secret })
    await post('/oauth/revoke', { token })
    await send(request('POST', `/oauth/revoke?token=${token}`, right))
    await send(request('POST', `/oauth/introspect/${secret}?client_secret=${secret}`, right))
  }
  for (const token of [pair.accessToken, pair.refreshToken])
    assert.equal((await submit('/oauth/revoke', { token, client_secret: secret })).status, 200)
}

async function misbehave(
  client: SecretiveClient,
  env: Env,
  credentials: Credentials,
  secrets: Secrets,
) {
  const { send, post, bear } = client
  const { email, password } = credentials
  const { pair } = await post('/auth/login', credentials)
  for (const kind of ['access', 'refresh'] as const) {
    const token = pair[`${kind}Token`]
    for (const forged of [
      expired(env, token, kind),
      ...Object.values(forgeries(env, token, kind)),
    ]) {
      if (forged.length > 20) noteToken(secrets, forged)
      await bear(forged)
      await bear(forged, 'POST', '/auth/logout')
      await post('/auth/refresh', { refreshToken: forged })
    }
  }
  // Some of these were well signed and have ended the session.
  const { accessToken: access, refreshToken: refresh } = (await post('/auth/login', credentials))
    .pair

  const bodies = [
    { email: password, password },
    { email, password, [password]: password },
    { [refresh]: refresh },
    { email: [email], password: [password] },
    { refreshToken: [refresh] },
    [password, refresh],
    password,
    `{"email":"${email}","password":"${password}"`,
    `{"refreshToken":"${refresh}`,
    `{"password":${password}}`,
    `{"__proto__":"${password}"}`,
    { password: password.repeat(40) },
    { currentPassword: password, newPassword: [password] },
    { refreshToken: refresh.repeat(10) },
    { refreshToken: refresh.repeat(500) },
  ]
  const texts = [`password=${password}`, `refreshToken=${refresh}`]
  for (const path of [
    '/auth/signup',
    '/auth/login',
    '/auth/refresh',
    '/auth/logout',
    '/auth/password',
    '/admin/users',
  ]) {
    for (const body of bodies) await post(path, body)
    for (const text of texts)
      await post(path, text, { 'Content-Type': 'application/x-www-form-urlencoded' })
    // The type is quoted in many a message.
    await post(path, '{}', { 'Content-Type': password })
  }
  await post('/auth/signup', {
    email: newEmail(),
    password: note(secrets, 'a password', 'qwertyuiop'),
  })
  for (const key of [password, `${access} `, 'short-secret-key'.slice(0, 15)])
    await post(
      '/auth/refresh',
      { refreshToken: refresh },
      { 'Idempotency-Key': note(secrets, 'a key', key) },
    )

  const paths = [
    '/auth/me',
    '/auth/nowhere',
    '/',
    `/auth/refresh/${refresh}`,
    `/${access}`,
    '/auth/%zz',
  ]
  for (const path of paths)
    for (const tail of [
      `?access_token=${access}&password=${password}`,
      `#${refresh}`,
      `;token=${refresh}`,
      `/${access}`,
    ])
      await send(request('GET', path + tail))
  await send(request('GET', `http://user:${password}@auth.example.com/auth/me`))
  await send(request('GET', `/%zz${access}`))

  const line = 'GET /auth/me HTTP/1.1\r\nHost: x\r\n'
  const raw = [
    `${line}Authorization: Bearer ${access}\r\nX: ${'x'.repeat(30_000)}\r\n\r\n`,
    `${line}Authorization: Bearer ${access.repeat(100)}\r\n\r\n`,
    `${line}Authorization Bearer ${access}\r\n\r\n`,
    `${line}Authorization: Bearer ${access}\0\r\n\r\n`,
    `${access}\r\n\r\n`,
    `{"password":"${password}","refreshToken":"${refresh}"}\r\n\r\n`,
    `CONNECT user:${password}@example.com:443 HTTP/1.1\r\nHost: ${password}\r\n\r\n`,
  ]
  for (const bytes of raw) assert.ok((await send(bytes)).status >= 400)
  for (const header of ['User-Agent', 'X-Request-Id', 'Cookie', 'X-Forwarded-For', 'Traceparent'])
    await send(
      request('GET', '/auth/me', { [header]: refresh, Authorization: `Basic ${password}` }),
    )
}

/** All tables of all schemas that are ours, as text. */
async function dump(sql: Sql): Promise<string> {
  const tables = await sql`
    select table_schema as schema, table_name as name from information_schema.tables
    where table_schema not in ('pg_catalog', 'information_schema')`
  const texts = tables.map(async ({ schema, name }) => {
    const [row] =
      await sql`select json_agg(rows)::text as text from ${sql(schema)}.${sql(name)} as rows`
    return `${name}: ${row?.text}`
  })
  return (await Promise.all(texts)).join('\n')
}

async function prepare(t: TestContext) {
  const redis = await startRedis()
  cleanUp(t, redis.stop)
  const receiver = await startReceiver(t)
  const secrets: Secrets = new Map()
  const webhookPassword = note(secrets, "the webhook's password", 'Ankerrad-und-Gabel')
  const settings = {
    REDIS_URL: redis.url,
    GRACE: '0s',
    MAX_SESSIONS_PER_USER: '2',
    LOG_LEVEL: 'trace',
    WEBHOOK_URL: receiver.url.replace('://', `://pawl:${webhookPassword}@`),
    INTROSPECTION_CLIENTS: `gateway:${note(secrets, "a client's secret", randomBytes(24).toString('hex'))}`,
    WEBHOOK_SECRET: note(secrets, "the webhook's secret", newWebhookSecret()),
  }
  const env = await environment(t, settings)
  for (const name of ['REFRESH_TOKEN_SECRET', 'ACCESS_TOKEN_PRIVATE_KEY', 'KEY_ENCRYPTION_SECRET'])
    note(secrets, name, env[name] ?? '')
  const database = new URL(env.DATABASE_URL ?? '')
  // The tests' own Postgres asks for no password, and so takes any.
  if (!database.password)
    database.password = note(secrets, "the database's password", 'Unruh-und-Spirale')
  env.DATABASE_URL = database.href
  return { redis, receiver, env, secrets, server: await startServer(t, env) }
}

test('no secret reaches the log, an error or the database, whatever happens', async (t) => {
  const { redis, receiver, env, secrets, server } = await prepare(t)
  const client = createClient(server.url, secrets)
  const credentials = { email: newEmail(), password: newPassword(secrets) }
  await liveALife(client, credentials, secrets)
  await useCookies(client, credentials.password, secrets)
  await useOauth(client, env, credentials, secrets)
  await misbehave(client, env, credentials, secrets)
  const { pair } = await client.post('/auth/login', credentials)

  await until(() => receiver.accepted.length > 0)
  assertSecrecy('the webhook', receiver.accepted.map(({ text }) => text).join('\n'), secrets)
  await receiver.goDown()
  // The last login, and all before it.
  const logins = () =>
    openSql(t, env)`select 1 from security_events where session_id = ${pair.sessionId}`
  await until(async () => (await logins()).length > 0)
  const rows = await dump(openSql(t, env))
  for (const known of [credentials.email, 'reuse_found', 'login_failed', 'session_cap', 'logout'])
    assert.ok(rows.includes(known))
  // There, and there alone, the hashes belong.
  assertSecrecy('the database', rows.replaceAll('$argon2id$', ''), secrets)

  const everything = async () => {
    const { post, bear, send } = createClient(server.url, secrets, false)
    await post('/auth/signup', { ...credentials, email: newEmail() })
    await post('/auth/login', credentials)
    await post('/auth/refresh', { refreshToken: pair.refreshToken })
    await bear(pair.accessToken)
    await post('/auth/logout', { refreshToken: pair.refreshToken })
    await send(request('GET', '/health/ready'))
  }
  redis.kill('SIGKILL')
  await everything()
  await server.printed('lost the connection to Redis')
  await redis.restart()
  const { pathname } = new URL(env.DATABASE_URL ?? '')
  const admin = openSql(t, { DATABASE_URL: required('TEST_DATABASE_URL') })
  await admin`drop database ${admin(pathname.slice(1))} with (force)`
  await everything()
  server.child.kill('SIGTERM')
  await server.ended

  const log = server.output()
  const expected = [
    'reuse_found',
    'sessions_evicted',
    'incoming request',
    'request refused',
    'wrong password',
  ]
  const troubles = [
    'lost the connection to Redis',
    'request could not be served',
    'request failed',
    'SIGTERM',
  ]
  assert.ok(!/pawl-refresh|cookie"?:/i.test(log), 'the log contains a cookie')
  for (const text of [...expected, ...troubles])
    assert.ok(log.includes(text), `the log lacks '${text}'`)
  assertSecrecy('the log', log, secrets)
})
