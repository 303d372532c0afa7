import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildWithAdministrator, idOf } from '../support/administrator.ts'
import { call, callEmpty, logIn, me, refresh, signUp } from '../support/app-requests.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'

test('an administrator creates a user, who can then log in', async (t) => {
  const { app, token, sql } = await buildWithAdministrator(t)
  const email = newEmail()
  const create = (payload: object) => call(app, token, 'POST', '/admin/users', payload)
  const created = await create({
    email: email.toUpperCase(),
    password: PASSWORD,
    roles: ['editor'],
  })
  assert.equal(created.statusCode, 201)
  assert.equal(created.headers['cache-control'], 'no-store')
  const { id, createdAt, ...rest } = created.json()
  assert.deepEqual(rest, { email, roles: ['editor'], status: 'active' })
  assert.ok(Math.abs(Date.parse(createdAt) - Date.now()) < 3_600_000)
  assert.deepEqual((await call(app, token, 'GET', `/admin/users/${id}`)).json(), created.json())
  const { accessToken } = (await logIn(app, email)).json()
  assert.deepEqual((await me(app, accessToken)).json().roles, ['editor'])

  assert.equal((await create({ email, password: PASSWORD })).json().code, 'AUTH_EMAIL_TAKEN')
  const weak = await create({ email: newEmail(), password: 'password' })
  assert.equal(weak.json().code, 'AUTH_PASSWORD_REJECTED')
  const disabled = { email: newEmail(), password: PASSWORD, status: 'disabled' }
  assert.equal((await create(disabled)).json().status, 'disabled')
  assert.equal((await logIn(app, disabled.email)).statusCode, 401)
  const events =
    await sql`select user_id, actor_id, detail from security_events where type = 'admin_action'`
  assert.equal(events.length, 2)
  const actor = await idOf(app, token)
  assert.deepEqual(events[0], {
    user_id: id,
    actor_id: actor,
    detail: { action: 'user_created', via: 'api' },
  })
})

test('changed roles arrive with the next refresh, and the event names who did it', async (t) => {
  const { app, token, sql } = await buildWithAdministrator(t)
  const { accessToken, refreshToken, email } = await signUp(app)
  const id = await idOf(app, accessToken)
  const headers = { authorization: `Bearer ${token}`, 'user-agent': 'console' }
  const payload = { roles: ['editor', 'auditor'] }
  const patched = await app.inject({ method: 'PATCH', url: `/admin/users/${id}`, headers, payload })
  assert.equal(patched.statusCode, 200)
  assert.deepEqual(patched.json().roles, ['editor', 'auditor'])
  assert.equal((await me(app, accessToken)).statusCode, 401)
  const next = (await refresh(app, refreshToken)).json()
  assert.deepEqual((await me(app, next.accessToken)).json().roles, ['editor', 'auditor'])

  // A repetition, as after a lost response, revokes the access tokens again.
  const again = await call(app, token, 'PATCH', `/admin/users/${id}`, payload)
  assert.deepEqual(again.json(), patched.json())
  assert.equal((await me(app, next.accessToken)).statusCode, 401)
  const forced = { sessions: 'refresh' }
  assert.equal((await call(app, token, 'PATCH', `/admin/users/${id}`, forced)).statusCode, 200)

  const disable = { status: 'disabled' }
  assert.equal(
    (await call(app, token, 'PATCH', `/admin/users/${id}`, disable)).json().status,
    'disabled',
  )
  const refused = await logIn(app, email)
  const unknown = await logIn(app, newEmail())
  assert.equal(refused.statusCode, 401)
  assert.equal(refused.body, unknown.body)
  assert.equal((await call(app, token, 'PATCH', `/admin/users/${id}`, disable)).statusCode, 200)
  const enabled = await call(app, token, 'PATCH', `/admin/users/${id}`, { status: 'active' })
  assert.equal(enabled.json().status, 'active')
  assert.equal((await refresh(app, next.refreshToken)).statusCode, 401)
  const back = (await logIn(app, email)).json()
  const seen = (await call(app, token, 'GET', `/admin/users/${id}/sessions`)).json().sessions
  assert.deepEqual(
    seen.map(({ id, current }: { id: string; current: boolean }) => [id, current]),
    [[back.sessionId, false]],
  )
  assert.equal(
    (await callEmpty(app, token, 'DELETE', `/admin/users/${id}/sessions`)).statusCode,
    204,
  )
  assert.equal((await callEmpty(app, token, 'DELETE', `/admin/users/${id}`)).statusCode, 204)
  assert.equal((await callEmpty(app, token, 'DELETE', `/admin/users/${id}`)).statusCode, 404)
  assert.equal((await logIn(app, email)).statusCode, 401)

  const actor = await idOf(app, token)
  const rows = await sql`
    select type, detail, user_agent from security_events
    where user_id = ${id} and actor_id = ${actor}
      and type in ('roles_changed', 'admin_action')
    order by id`
  assert.deepEqual(
    rows.map(({ type, detail }) => (type === 'admin_action' ? detail.action : detail)),
    [
      { from: [], to: ['editor', 'auditor'] },
      'user_disabled',
      'user_enabled',
      'sessions_ended',
      'user_deleted',
    ],
  )
  assert.equal(rows[0]?.user_agent, 'console')
})

test('a change of roles is in force after Postgres was restored to an earlier state', async (t) => {
  const { app, token, sql } = await buildWithAdministrator(t)
  const { accessToken, refreshToken } = await signUp(app)
  const id = await idOf(app, accessToken)
  const changeRoles = (roles: string[]) =>
    call(app, token, 'PATCH', `/admin/users/${id}`, { roles })
  const [backup] = await sql`select ver, roles from users where id = ${id}`
  await changeRoles(['boss'])
  await changeRoles(['boss', 'admin'])
  const boss = (await refresh(app, refreshToken)).json()
  assert.deepEqual((await me(app, boss.accessToken)).json().roles, ['boss', 'admin'])

  await sql`update users set ver = ${backup?.ver}, roles = ${backup?.roles} where id = ${id}`
  await sql`delete from user_revocations where user_id = ${id}`
  assert.equal((await changeRoles(['reader'])).statusCode, 200)
  assert.equal((await me(app, boss.accessToken)).statusCode, 401)
  const reader = (await refresh(app, boss.refreshToken)).json()
  assert.deepEqual((await me(app, reader.accessToken)).json().roles, ['reader'])
  assert.equal((await call(app, reader.accessToken, 'GET', '/admin/users')).statusCode, 403)
})
