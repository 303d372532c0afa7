import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import type { Sql } from 'postgres'
import { cleanUp } from '../support/clean-up.ts'
import { newEmail } from '../support/credentials.ts'
import { openSql } from '../support/database.ts'
import { environment, required } from '../support/environment.ts'
import { request } from '../support/raw-http.ts'
import { createRecordingClient } from '../support/secrecy/recording-client.ts'
import { addSecret, assertNoSecret, newPassword, type Secrets } from '../support/secrecy/secrets.ts'
import { sendMalformed } from '../support/secrecy/send-malformed.ts'
import { useAccount } from '../support/secrecy/use-account.ts'
import { useCookies } from '../support/secrecy/use-cookies.ts'
import { useOauth } from '../support/secrecy/use-oauth.ts'
import { startServer } from '../support/server-process.ts'
import { startRedis } from '../support/services/redis.ts'
import { until } from '../support/until.ts'
import { newWebhookSecret, startReceiver } from '../support/webhook/receiver.ts'

/** Returns the rows of every table, in all schemas but those of Postgres, as text. */
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

/** Starts a server that logs everything, whose secrets are all known. */
async function startWithKnownSecrets(t: TestContext) {
  const redis = await startRedis()
  cleanUp(t, redis.stop)
  const receiver = await startReceiver(t)
  const secrets: Secrets = new Map()
  const webhookPassword = addSecret(secrets, "the webhook's password", 'Ankerrad-und-Gabel')
  const clientSecret = addSecret(secrets, "a client's secret", randomBytes(24).toString('hex'))
  const settings = {
    REDIS_URL: redis.url,
    GRACE: '0s',
    MAX_SESSIONS_PER_USER: '2',
    LOG_LEVEL: 'trace',
    WEBHOOK_URL: receiver.url.replace('://', `://pawl:${webhookPassword}@`),
    INTROSPECTION_CLIENTS: `gateway:${clientSecret}`,
    WEBHOOK_SECRET: addSecret(secrets, "the webhook's secret", newWebhookSecret()),
  }
  const env = await environment(t, settings)
  for (const name of ['REFRESH_TOKEN_SECRET', 'ACCESS_TOKEN_PRIVATE_KEY', 'KEY_ENCRYPTION_SECRET'])
    addSecret(secrets, name, env[name] ?? '')
  const database = new URL(env.DATABASE_URL ?? '')
  // The Postgres that the tests start asks for no password, so it accepts any.
  if (!database.password)
    database.password = addSecret(secrets, "the database's password", 'Unruh-und-Spirale')
  env.DATABASE_URL = database.href
  return { redis, receiver, env, secrets, server: await startServer(t, env) }
}

test('no secret appears in the log, in an error response or in the database', async (t) => {
  const { redis, receiver, env, secrets, server } = await startWithKnownSecrets(t)
  const client = createRecordingClient(server.url, secrets)
  const credentials = { email: newEmail(), password: newPassword(secrets) }
  await useAccount(client, credentials, secrets)
  await useCookies(client, credentials.password, secrets)
  await useOauth(client, env, credentials, secrets)
  await sendMalformed(client, env, credentials, secrets)
  const { pair } = await client.post('/auth/login', credentials)

  await until(() => receiver.accepted.length > 0)
  assertNoSecret('the webhook', receiver.accepted.map(({ text }) => text).join('\n'), secrets)
  await receiver.goDown()
  // Events are written in order: when the last login is there, the others are too.
  const logins = () =>
    openSql(t, env)`select 1 from security_events where session_id = ${pair.sessionId}`
  await until(async () => (await logins()).length > 0)
  const rows = await dump(openSql(t, env))
  for (const known of [credentials.email, 'reuse_found', 'login_failed', 'session_cap', 'logout'])
    assert.ok(rows.includes(known))
  // Only the database may contain hashes.
  assertNoSecret('the database', rows.replaceAll('$argon2id$', ''), secrets)

  const useEachStore = async () => {
    const { post, bear, send } = createRecordingClient(server.url, secrets, false)
    await post('/auth/signup', { ...credentials, email: newEmail() })
    await post('/auth/login', credentials)
    await post('/auth/refresh', { refreshToken: pair.refreshToken })
    await bear(pair.accessToken)
    await post('/auth/logout', { refreshToken: pair.refreshToken })
    await send(request('GET', '/health/ready'))
  }
  redis.kill('SIGKILL')
  await useEachStore()
  await server.printed('lost the connection to Redis')
  await redis.restart()
  // The error that Postgres reports quotes the whole row, with the hash of the password.
  await openSql(t, env)`alter table users add constraint broken check (email = '') not valid`
  await until(async () => (await fetch(`${server.url}/health/ready`)).ok)
  await useEachStore()
  await server.printed('request failed')
  const { pathname } = new URL(env.DATABASE_URL ?? '')
  const admin = openSql(t, { DATABASE_URL: required('TEST_DATABASE_URL') })
  await admin`drop database ${admin(pathname.slice(1))} with (force)`
  await useEachStore()
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
  const failures = [
    'lost the connection to Redis',
    'request could not be served',
    'request failed',
    'SIGTERM',
  ]
  assert.ok(!/pawl-refresh|cookie"?:/i.test(log), 'the log contains a cookie')
  for (const text of [...expected, ...failures])
    assert.ok(log.includes(text), `the log lacks '${text}'`)
  assertNoSecret('the log', log, secrets)
})
