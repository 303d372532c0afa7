import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import Fastify, { type FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import { loadConfig, pawl } from '../../src/index.ts'
import { logIn, me, refresh, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { createClock } from '../support/clock.ts'
import { openSql } from '../support/database.ts'
import { environment } from '../support/environment.ts'
import { forgeries } from '../support/forgeries.ts'
import { build } from '../support/in-process-server.ts'
import { logOut, startNode } from '../support/nodes.ts'
import { inject, retryUnavailable } from '../support/retry-unavailable.ts'
import { startRedis } from '../support/services/redis.ts'
import { until } from '../support/until.ts'

const SECRETS = [1, 2, 3].map(() => randomBytes(24).toString('base64url'))
const INTROSPECTION_CLIENTS = `gateway:${SECRETS[0]},gateway:${SECRETS[1]},other:${SECRETS[2]}`
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const basic = (credentials: string) => `Basic ${Buffer.from(credentials).toString('base64')}`
const AUTHORIZATION = basic(`gateway:${SECRETS[0]}`)

function introspect(
  app: FastifyInstance,
  token: string,
  hint?: string,
  authorization = AUTHORIZATION,
) {
  const payload = new URLSearchParams({ token, ...(hint && { token_type_hint: hint }) }).toString()
  return app.inject({
    method: 'POST',
    url: '/oauth/introspect',
    headers: { ...FORM, authorization },
    payload,
  })
}

async function isActive(app: FastifyInstance, token: string, hint?: string): Promise<boolean> {
  const response = await retryUnavailable(() => introspect(app, token, hint))
  assert.equal(response.statusCode, 200, response.body)
  assert.equal(response.headers['cache-control'], 'no-store')
  const { active } = response.json()
  // The response does not say why the token is inactive.
  if (!active) assert.equal(response.body, '{"active":false}')
  return active
}

test('an access token is active, with its claims, as long as Pawl accepts it', async (t) => {
  const clock = createClock()
  const app = await build(t, { INTROSPECTION_CLIENTS, AUDIENCE: 'https://api.example.com' }, clock)
  const { accessToken, refreshToken, sessionId } = await signUp(app)
  for (const hint of [undefined, 'access_token', 'refresh_token', 'unknown_hint']) {
    const response = await introspect(app, accessToken, hint)
    const { jti, sub, iat, exp, auth_time, ...claims } = response.json()
    assert.deepEqual(claims, {
      active: true,
      token_type: 'Bearer',
      iss: 'https://auth.example.com',
      aud: 'https://api.example.com',
      client_id: 'pawl',
      amr: ['pwd'],
      sid: sessionId,
      roles: [],
    })
    assert.equal(sub, (await me(app, accessToken)).json().id)
    assert.deepEqual([exp - iat, typeof jti], [900, 'string'])
  }
  clock.advance(900_000)
  assert.equal(await isActive(app, accessToken), false)
  const next = (await refresh(app, refreshToken)).json()
  assert.equal(await isActive(app, next.accessToken), true)
  await logOut(app, next.refreshToken)
  assert.equal(await isActive(app, next.accessToken), false)
})

test('the roles appear as scope, too', async (t) => {
  const env = await environment(t, { INTROSPECTION_CLIENTS })
  const app = await build(t, env)
  const pair = await signUp(app)
  await openSql(t, env)`update users set roles = '{editor,author}', ver = ver + 1`
  const again = (await logIn(app, pair.email)).json()
  const { roles, scope } = (await introspect(app, again.accessToken)).json()
  assert.deepEqual([roles, scope], [['editor', 'author'], 'editor author'])
})

test('a token that one node revokes is inactive on the other', async (t) => {
  const env = await environment(t, { INTROSPECTION_CLIENTS })
  const [one, other] = [await startNode(t, env), await startNode(t, env)]
  const { accessToken, refreshToken } = await signUp(one)
  assert.equal(await isActive(other, accessToken), true)
  assert.equal(await isActive(other, refreshToken, 'refresh_token'), true)
  const payload = `token=${refreshToken}`
  await inject(one, { method: 'POST', url: '/oauth/revoke', headers: FORM, payload })
  assert.equal(await isActive(other, refreshToken, 'refresh_token'), false)
  await until(async () => !(await isActive(other, accessToken)))
})

test('a forged token is reported like a revoked one', async (t) => {
  const env = await environment(t, { INTROSPECTION_CLIENTS })
  const app = await build(t, env)
  const pair = await signUp(app)
  for (const kind of ['access', 'refresh'] as const)
    for (const forged of Object.values(forgeries(env, pair[`${kind}Token`], kind)))
      if (forged)
        assert.equal(await isActive(app, forged, `${kind}_token`), false, forged.slice(0, 80))
  assert.equal(await isActive(app, 'x'.repeat(20_000)), false)
})

test('a refresh token is active only if the request asks for a refresh token', async (t) => {
  const app = await build(t, { INTROSPECTION_CLIENTS })
  const { refreshToken, sessionId } = await signUp(app)
  assert.equal(await isActive(app, refreshToken), false)
  assert.equal(await isActive(app, refreshToken, 'access_token'), false)
  const response = await introspect(app, refreshToken, 'refresh_token')
  const { sub, iat, exp, auth_time, ...claims } = response.json()
  assert.deepEqual(claims, {
    active: true,
    iss: 'https://auth.example.com',
    aud: 'https://auth.example.com#refresh',
    sid: sessionId,
    jti: `${sessionId}.1`,
    amr: ['pwd'],
  })
  assert.ok(sub && exp > iat && auth_time <= iat)
})

test('introspecting a refresh token, newest or spent, does not change its session', async (t) => {
  const clock = createClock()
  const redis = await startRedis()
  cleanUp(t, () => redis.stop())
  const app = await build(t, { INTROSPECTION_CLIENTS, REDIS_URL: redis.url, GRACE: '0s' }, clock)
  const first = await signUp(app)
  for (let time = 1; time <= 3; time++)
    assert.ok(await isActive(app, first.refreshToken, 'refresh_token'))
  const second = (await refresh(app, first.refreshToken)).json()
  clock.advance(1_000)
  const third = (await refresh(app, second.refreshToken)).json()
  for (const { refreshToken } of [first, second])
    assert.equal(await isActive(app, refreshToken, 'refresh_token'), false)
  assert.ok(await isActive(app, third.refreshToken, 'refresh_token'))

  // Postgres still knows the session, although not its latest generation.
  const operator = new Redis(redis.url)
  cleanUp(t, async () => operator.disconnect())
  await operator.del(...(await operator.keys('pawl:{*}')))
  assert.ok(await isActive(app, third.refreshToken, 'refresh_token'))
  const fourth = (await refresh(app, third.refreshToken)).json()
  clock.advance(7 * 86_400_000)
  assert.equal(await isActive(app, fourth.refreshToken, 'refresh_token'), false)
})

test('introspection responds with 503 while the revocations are stale', async (t) => {
  const redis = await startRedis()
  cleanUp(t, () => redis.stop())
  const app = await build(t, {
    INTROSPECTION_CLIENTS,
    REDIS_URL: redis.url,
    REVOCATION_MAX_STALENESS: '1s',
  })
  const { accessToken, refreshToken } = await signUp(app)
  redis.kill('SIGSTOP')
  for (const [token, hint] of [[accessToken], [refreshToken, 'refresh_token']] as const) {
    await until(async () => (await introspect(app, token, hint)).statusCode === 503)
    assert.equal((await introspect(app, token, hint)).json().error, 'temporarily_unavailable')
  }
  redis.kill('SIGCONT')
})

test('only clients may introspect, each with any of its secrets', async (t) => {
  const app = await build(t, { INTROSPECTION_CLIENTS })
  const { accessToken } = await signUp(app)
  for (const credentials of [`gateway:${SECRETS[1]}`, `other:${SECRETS[2]}`])
    for (const header of [basic(credentials), basic(credentials).replace('Basic', 'basic ')])
      assert.equal((await introspect(app, accessToken, undefined, header)).statusCode, 200)
  const wrong = [
    '',
    'Basic',
    'Basic !',
    `Bearer ${accessToken}`,
    basic(''),
    basic(':'),
    basic(`gateway:${SECRETS[2]}`),
    basic(`gateway:${SECRETS[0]}x`),
    basic(`gateway:${SECRETS[0]},gateway:${SECRETS[1]}`),
    basic(`Gateway:${SECRETS[0]}`),
    `${AUTHORIZATION} x`,
  ]
  for (const authorization of wrong) {
    for (const token of [accessToken, '']) {
      const response = await introspect(app, token, undefined, authorization)
      assert.equal(response.statusCode, 401, authorization)
      assert.equal(response.headers['www-authenticate'], 'Basic realm="pawl", charset="UTF-8"')
      const { code, error } = response.json()
      assert.deepEqual([code, error], ['AUTH_INVALID_CLIENT', 'invalid_client'])
    }
  }
  const missing = await introspect(app, '')
  assert.deepEqual([missing.statusCode, missing.json().error], [400, 'invalid_request'])
})

test('the metadata names the endpoints, and introspection only if it has clients', async (t) => {
  const open = await build(t, { INTROSPECTION_CLIENTS })
  const response = await open.inject('/.well-known/oauth-authorization-server')
  assert.equal(response.statusCode, 200)
  assert.equal(response.headers['cache-control'], 'public, max-age=3600')
  const metadata = response.json()
  assert.equal(metadata.issuer, 'https://auth.example.com')
  assert.deepEqual(metadata.introspection_endpoint_auth_methods_supported, ['client_secret_basic'])
  const endpoints = [
    metadata.jwks_uri,
    metadata.revocation_endpoint,
    metadata.introspection_endpoint,
  ]
  for (const endpoint of endpoints) {
    assert.ok(endpoint.startsWith('https://auth.example.com/'))
    const method = endpoint === metadata.jwks_uri ? 'GET' : 'POST'
    assert.notEqual(
      (await open.inject({ method, url: new URL(endpoint).pathname })).statusCode,
      404,
    )
  }

  const env = await environment(t)
  const closed = Fastify()
  cleanUp(t, () => closed.close())
  await closed.register(pawl, { config: loadConfig(env), prefix: '/id' })
  const { revocation_endpoint, ...rest } = (
    await closed.inject('/id/.well-known/oauth-authorization-server')
  ).json()
  assert.equal(revocation_endpoint, 'https://auth.example.com/id/oauth/revoke')
  assert.deepEqual(
    Object.keys(rest).filter((name) => name.includes('introspection')),
    [],
  )
  const absent = await closed.inject({
    method: 'POST',
    url: '/id/oauth/introspect',
    headers: { ...FORM, authorization: AUTHORIZATION },
    payload: 'token=x',
  })
  assert.equal(absent.statusCode, 404)
})
