import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { call, logIn, logInOnce, me, refresh, signUp } from '../support/app-requests.ts'
import { PASSWORD } from '../support/credentials.ts'
import { openSql } from '../support/database.ts'
import { environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { until } from '../support/until.ts'

const NEXT = 'a ratchet of another wheel'

const change = (
  app: FastifyInstance,
  token: string,
  currentPassword = PASSWORD,
  newPassword = NEXT,
) => call(app, token, 'POST', '/auth/password', { currentPassword, newPassword })

test('changing the password ends every session and starts a new one', async (t) => {
  const env = await environment(t)
  const app = await build(t, env)
  const first = await signUp(app)
  const here = (await logIn(app, first.email)).json()
  const response = await change(app, here.accessToken)
  assert.equal(response.statusCode, 200)
  assert.equal(response.headers['cache-control'], 'no-store')

  // A thief may have copied the tokens of the very session that changes the password.
  for (const old of [first, here]) {
    assert.equal((await me(app, old.accessToken)).statusCode, 401)
    assert.equal((await refresh(app, old.refreshToken)).statusCode, 401)
  }
  const renewed = response.json()
  assert.notEqual(renewed.sessionId, here.sessionId)
  assert.equal((await me(app, renewed.accessToken)).statusCode, 200)
  const next = await refresh(app, renewed.refreshToken)
  assert.equal(next.statusCode, 200)
  assert.equal((await me(app, next.json().accessToken)).statusCode, 200)
  assert.equal((await logIn(app, first.email)).statusCode, 401)
  assert.equal((await logIn(app, first.email, NEXT)).statusCode, 200)

  const sql = openSql(t, env)
  const ended = () =>
    sql`
      select session_id, detail, host(ip::inet) as ip
      from security_events where type = 'session_ended' order by session_id`
  await until(async () => (await ended()).length > 1)
  assert.deepEqual(
    [...(await ended())],
    [first, here].map(({ sessionId }) => ({
      session_id: sessionId,
      detail: { reason: 'password_changed' },
      ip: '127.0.0.1',
    })),
  )
  const changed =
    await sql`select session_id, actor_id from security_events where type = 'password_changed'`
  assert.deepEqual([...changed], [{ session_id: here.sessionId, actor_id: null }])
})

test('a wrong current password is refused, and a weak new one does not reveal it', async (t) => {
  const app = await build(t)
  const { email, accessToken } = await signUp(app)
  const other = (await logIn(app, email)).json()
  const wrong = await change(app, accessToken, 'not the password')
  assert.equal(wrong.statusCode, 403)
  assert.equal(wrong.json().code, 'AUTH_WRONG_PASSWORD')
  const [weak, weakAndWrong] = [
    await change(app, accessToken, PASSWORD, 'password'),
    await change(app, accessToken, 'not the password', 'password'),
  ]
  assert.equal(weak.statusCode, 400)
  assert.equal(weak.json().code, 'AUTH_PASSWORD_REJECTED')
  assert.equal(weakAndWrong.body, weak.body)
  assert.equal((await me(app, other.accessToken)).statusCode, 200)
  assert.equal((await logIn(app, email)).statusCode, 200)

  assert.equal(
    (await app.inject({ method: 'POST', url: '/auth/password', payload: {} })).statusCode,
    400,
  )
  const payload = { currentPassword: PASSWORD, newPassword: NEXT }
  assert.equal(
    (await app.inject({ method: 'POST', url: '/auth/password', payload })).statusCode,
    401,
  )
})

test('wrong current passwords are limited, and a request without a token is no guess', async (t) => {
  const app = await build(t, { RATE_LIMIT: 'on' })
  const { accessToken } = await signUp(app)
  const stranger = await signUp(app)
  const guess = (token: string, currentPassword: string) =>
    change(app, token, currentPassword, NEXT)
  const statuses = []
  for (let count = 0; count < 10; count++) {
    statuses.push((await guess(accessToken, `wrong guess ${count}`)).statusCode)
    assert.equal((await guess('no-token', 'x')).statusCode, 401)
  }
  assert.deepEqual(statuses, Array(10).fill(403))
  assert.equal((await guess(accessToken, PASSWORD)).statusCode, 429)
  assert.equal((await guess(stranger.accessToken, PASSWORD)).statusCode, 200)
})

test('if two changes race, exactly one succeeds', async (t) => {
  const app = await build(t)
  const one = await signUp(app)
  const two = (await logIn(app, one.email)).json()
  const words = ['first of two wheels', 'second of two wheels']
  const responses = await Promise.all(
    [one, two].map(({ accessToken }, index) => change(app, accessToken, PASSWORD, words[index])),
  )
  const statuses = responses.map(({ statusCode }) => statusCode)
  assert.equal(statuses.filter((status) => status === 200).length, 1, statuses.join())
  const winner = statuses.indexOf(200)
  assert.ok([401, 403, 503].includes(statuses[1 - winner] ?? 0), statuses.join())
  assert.equal((await logIn(app, one.email, words[winner])).statusCode, 200)
  assert.equal((await logIn(app, one.email, words[1 - winner])).statusCode, 401)
})

test('no session of a login with the old password survives a change that races', async (t) => {
  const app = await build(t, { MAX_SESSIONS_PER_USER: '100' })
  const { email, accessToken, refreshToken } = await signUp(app)
  const logins = (count: number) => Array.from({ length: count }, () => logInOnce(app, email))
  const [changed, ...responses] = await Promise.all([
    change(app, accessToken),
    ...logins(20),
    ...logins(20),
  ])
  assert.equal(changed?.statusCode, 200)
  for (const response of responses) {
    assert.ok([200, 401, 503].includes(response.statusCode), response.body)
    if (response.statusCode !== 200) continue
    assert.equal((await refresh(app, response.json().refreshToken)).statusCode, 401)
    assert.equal((await me(app, response.json().accessToken)).statusCode, 401)
  }
  assert.equal((await refresh(app, refreshToken)).statusCode, 401)
  assert.equal((await refresh(app, changed?.json().refreshToken)).statusCode, 200)
})

test('a login that was checked before the change cannot start a session after it', async (t) => {
  const env = await environment(t)
  const app = await build(t, env)
  const { email, accessToken } = await signUp(app)
  const sql = openSql(t, env)
  const watch = openSql(t, env)
  const waiting = async (count: number) => {
    const blocked = () =>
      watch`
        select 1 from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`
    await until(async () => (await blocked()).length === count)
  }
  const responses: ReturnType<typeof logIn>[] = []
  await sql.begin(async (tx) => {
    await tx`select 1 from users where email = ${email} for update`
    responses.push(change(app, accessToken))
    await waiting(1)
    responses.push(logInOnce(app, email))
    await waiting(2)
  })
  const statuses = (await Promise.all(responses)).map(({ statusCode }) => statusCode)
  assert.deepEqual(statuses, [200, 503])
  const [row] = await watch`select count(*)::int as alive from sessions where revoked_at is null`
  assert.equal(row?.alive, 1)
})
