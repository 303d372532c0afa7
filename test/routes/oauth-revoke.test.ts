import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { logIn, me, refresh, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { openSql } from '../support/database.ts'
import { environment } from '../support/environment.ts'
import { expired, forgeries } from '../support/forgeries.ts'
import { build } from '../support/in-process-server.ts'
import { startNode, status } from '../support/nodes.ts'
import { retryUnavailable } from '../support/retry-unavailable.ts'
import { startRedis } from '../support/services/redis.ts'
import { until } from '../support/until.ts'

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

const revoke = (app: FastifyInstance, form: Record<string, string> | string) =>
  retryUnavailable(() => revokeOnce(app, form))

/** For tests that expect a 503. */
function revokeOnce(app: FastifyInstance, form: Record<string, string> | string) {
  const payload = new URLSearchParams(form).toString()
  return app.inject({ method: 'POST', url: '/oauth/revoke', headers: FORM, payload })
}

for (const kind of ['access', 'refresh'] as const) {
  for (const hint of [undefined, 'access_token', 'refresh_token', 'saml2']) {
    test(`revoking the ${kind} token (hint: ${hint}) ends only its session`, async (t) => {
      const env = await environment(t)
      const app = await build(t, env)
      const pair = await signUp(app)
      const other = (await logIn(app, pair.email)).json()
      const form = {
        token: pair[`${kind}Token`],
        ...(hint && { token_type_hint: hint }),
        client_id: 'spa',
      }
      for (let time = 1; time <= 2; time++) {
        const response = await revoke(app, form)
        assert.deepEqual([response.statusCode, response.body], [200, ''])
        assert.equal(response.headers['cache-control'], 'no-store')
      }
      assert.equal((await me(app, pair.accessToken)).statusCode, 401)
      assert.equal((await refresh(app, pair.refreshToken)).statusCode, 401)
      assert.equal((await me(app, other.accessToken)).statusCode, 200)
      const ended = await openSql(
        t,
        env,
      )`select id, revoked_reason from sessions where revoked_at is not null`
      assert.deepEqual([...ended], [{ id: pair.sessionId, revoked_reason: 'logout' }])
    })
  }
}

test('a token that one node revokes is refused by the other', async (t) => {
  const env = await environment(t)
  const [one, other] = [await startNode(t, env), await startNode(t, env)]
  const pair = await signUp(one)
  assert.equal(await status(other, pair.accessToken), 200)
  assert.equal((await revoke(one, { token: pair.accessToken })).statusCode, 200)
  assert.equal((await refresh(other, pair.refreshToken)).statusCode, 401)
  assert.equal(await status(other, pair.accessToken, '/fresh'), 401)
  await until(async () => (await status(other, pair.accessToken)) === 401)
})

test('a foreign or forged token gets the same response and ends no session', async (t) => {
  const env = await environment(t)
  const app = await build(t, env)
  const pair = await signUp(app)
  const forged = Object.values(forgeries(env, pair.accessToken, 'access')).filter(
    (token) => token !== '',
  )
  for (const token of [...forged, 'nonsense', 'x'.repeat(20_000)]) {
    const response = await revoke(app, { token })
    assert.deepEqual([response.statusCode, response.body], [200, ''], token.slice(0, 80))
  }
  assert.equal((await me(app, pair.accessToken)).statusCode, 200)
  assert.equal((await refresh(app, pair.refreshToken)).statusCode, 200)
  // An expired token of ours still ends its session.
  assert.equal(
    (await revoke(app, { token: expired(env, pair.accessToken, 'access') })).statusCode,
    200,
  )
  assert.equal((await me(app, pair.accessToken)).statusCode, 401)
})

test('a malformed request is refused with an OAuth error, and only forms are read', async (t) => {
  const app = await build(t)
  const { accessToken } = await signUp(app)
  const twice = `token=${accessToken}&token=${accessToken}`
  for (const form of [
    {},
    { token: '' },
    { Token: accessToken },
    twice,
    `token=${accessToken}&token_type_hint=a&token_type_hint=b`,
  ]) {
    const response = await revoke(app, form)
    assert.equal(response.statusCode, 400)
    assert.match(String(response.headers['content-type']), /^application\/problem\+json/)
    const { code, error } = response.json()
    assert.deepEqual([code, error], ['VALIDATION_FAILED', 'invalid_request'])
    assert.ok(!response.body.includes(accessToken))
  }
  const json = await app.inject({
    method: 'POST',
    url: '/oauth/revoke',
    payload: { token: accessToken },
  })
  assert.deepEqual([json.statusCode, json.json().error], [415, 'invalid_request'])
  const query = await app.inject({
    method: 'POST',
    url: `/oauth/revoke?token=${accessToken}`,
    headers: FORM,
  })
  assert.equal(query.statusCode, 400)
  assert.equal((await me(app, accessToken)).statusCode, 200)

  for (const url of ['/auth/login', '/auth/refresh', '/auth/logout']) {
    const response = await app.inject({
      method: 'POST',
      url,
      headers: FORM,
      payload: 'refreshToken=x',
    })
    assert.equal(response.statusCode, 415)
    assert.equal(response.json().error, undefined)
  }
})

test('responds with 503 if the session cannot be revoked', async (t) => {
  const redis = await startRedis()
  cleanUp(t, () => redis.stop())
  const app = await build(t, { REDIS_URL: redis.url })
  const pair = await signUp(app)
  redis.kill('SIGKILL')
  const response = await revokeOnce(app, { token: pair.refreshToken })
  assert.equal(response.statusCode, 503)
  assert.ok(Number(response.headers['retry-after']) >= 1)
  assert.equal(response.json().error, 'temporarily_unavailable')
})

test('too many requests get a 429', async (t) => {
  const app = await build(t, { RATE_LIMIT: 'on' })
  for (let count = 0; count < 300; count++) await revoke(app, { token: 'x' })
  const response = await revoke(app, { token: 'x' })
  assert.deepEqual([response.statusCode, response.json().error], [429, 'temporarily_unavailable'])
})
