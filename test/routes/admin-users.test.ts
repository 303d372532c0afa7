import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { call, callEmpty } from '../calls.ts'
import { openSql } from '../database.ts'
import { adminToken } from '../events/happenings.ts'
import { build, environment, logIn, me, newEmail, PASSWORD, refresh, signUp } from '../helper.ts'

async function setUp(t: TestContext) {
  const env = await environment(t, PATIENT)
  const app = await build(t, env)
  const sql = openSql(t, env)
  return { env, app, sql, token: await adminToken(app, sql) }
}

/** On a machine that is busy with other tests a node falls behind. */
const PATIENT = { REVOCATION_MAX_STALENESS: '1m' }

const idOf = async (app: FastifyInstance, accessToken: string) => (await me(app, accessToken)).json().id

test('an administrator makes a user, who logs in with what he was given', async (t) => {
  const { app, token, sql } = await setUp(t)
  const email = newEmail()
  const create = (payload: object) => call(app, token, 'POST', '/admin/users', payload)
  const made = await create({ email: email.toUpperCase(), password: PASSWORD, roles: ['editor'] })
  assert.equal(made.statusCode, 201)
  assert.equal(made.headers['cache-control'], 'no-store')
  const { id, createdAt, ...rest } = made.json()
  assert.deepEqual(rest, { email, roles: ['editor'], status: 'active' })
  assert.ok(Math.abs(Date.parse(createdAt) - Date.now()) < 3_600_000)
  assert.deepEqual((await call(app, token, 'GET', `/admin/users/${id.toUpperCase()}`)).json(), made.json())
  const { accessToken } = (await logIn(app, email)).json()
  assert.deepEqual((await me(app, accessToken)).json().roles, ['editor'])

  assert.equal((await create({ email, password: PASSWORD })).json().code, 'AUTH_EMAIL_TAKEN')
  const weak = await create({ email: newEmail(), password: 'password' })
  assert.equal(weak.json().code, 'AUTH_PASSWORD_REJECTED')
  const asleep = { email: newEmail(), password: PASSWORD, status: 'disabled' }
  assert.equal((await create(asleep)).json().status, 'disabled')
  assert.equal((await logIn(app, asleep.email)).statusCode, 401)
  const events = await sql`select user_id, actor_id, detail from security_events where type = 'admin_action'`
  assert.equal(events.length, 2)
  const actor = await idOf(app, token)
  assert.deepEqual(events[0], {
    user_id: id,
    actor_id: actor,
    detail: { action: 'user_created', via: 'api' },
  })
})

test('users are found by the beginning of their address, page after page', async (t) => {
  const { app, token, sql } = await setUp(t)
  const addresses = ['ann', 'ann_x', 'annax', 'ann%y', 'anna', 'bob', 'zoe~']
  await sql`
    insert into users (id, email, password_hash)
    select gen_random_uuid(), name || '@example.com', 'none' from unnest(${addresses}::text[]) as name`
  const find = async (email: string, limit = 100): Promise<string[]> => {
    const found: string[] = []
    let next: string | undefined
    do {
      const query = new URLSearchParams({ email, limit: String(limit), ...(next && { cursor: next }) })
      const page = await call(app, token, 'GET', `/admin/users?${query}`)
      assert.equal(page.statusCode, 200, page.body)
      const { users } = page.json()
      assert.ok(users.length <= limit && users.length > 0)
      found.push(...users.map(({ email }: { email: string }) => email.split('@')[0]))
      next = page.json().next
    } while (next)
    return found
  }
  // In the order of the bytes of the whole address: % is before @, and _ behind it.
  assert.deepEqual(await find('ANN'), ['ann%y', 'ann', 'ann_x', 'anna', 'annax'])
  assert.deepEqual(await find('ann_'), ['ann_x'])
  assert.deepEqual(await find('ann%'), ['ann%y'])
  assert.deepEqual(await find('zoe~@example.com'), ['zoe~'])
  for (const limit of [1, 2, 3, 5])
    assert.deepEqual(await find('ann', limit), ['ann%y', 'ann', 'ann_x', 'anna', 'annax'])
  const nobody = await call(app, token, 'GET', '/admin/users?email=nobody')
  assert.deepEqual(nobody.json(), { users: [] })
  const all = (await call(app, token, 'GET', '/admin/users')).json().users
  assert.equal(all.length, addresses.length + 1)
  assert.deepEqual(Object.keys(all[0]).sort(), ['createdAt', 'email', 'id', 'roles', 'status'])
})

test('pages have no gap and no repetition while users come and go', async (t) => {
  const { app, token, sql } = await setUp(t)
  const add = (...names: string[]) => sql`
    insert into users (id, email, password_hash)
    select gen_random_uuid(), name || '@page.example', 'none' from unnest(${names}::text[]) as name`
  await add('u1', 'u3', 'u5', 'u7', 'u9')
  const page = async (cursor = '') => {
    const answer = await call(
      app,
      token,
      'GET',
      `/admin/users?email=u&limit=2${cursor && `&cursor=${cursor}`}`,
    )
    return answer.json() as { users: { email: string }[]; next?: string }
  }
  const names = ({ users }: { users: { email: string }[] }) => users.map(({ email }) => email.slice(0, 2))
  const first = await page()
  assert.deepEqual(names(first), ['u1', 'u3'])
  // The last of the page goes, and others come before and behind it.
  await sql`delete from users where email = 'u3@page.example'`
  await add('u2', 'u4')
  const second = await page(first.next)
  assert.deepEqual(names(second), ['u4', 'u5'])
  const third = await page(second.next)
  assert.deepEqual(names(third), ['u7', 'u9'])
  assert.equal(third.next, undefined)
})

test('what is no query, no user and no change is refused', async (t) => {
  const { app, token } = await setUp(t)
  const encode = (text: string) => Buffer.from(text).toString('base64url')
  const cursors = ['', '!', 'eA', encode('UPPER@example.com'), encode("x' or true"), `${encode('a@b.c')}A`]
  const queries = [
    ...cursors.map((cursor) => `cursor=${cursor}`),
    'limit=0',
    'limit=101',
    'limit=1.5',
    'limit=many',
    'email=',
    'email=%00',
    'email=%C3%A9',
    'q=ann',
    'email=a&email=b',
  ]
  for (const query of queries) {
    const answer = await call(app, token, 'GET', `/admin/users?${query}`)
    assert.equal(answer.statusCode, 400, query)
    assert.equal(answer.json().code, 'VALIDATION_FAILED')
  }

  const { accessToken } = await signUp(app)
  const id = await idOf(app, accessToken)
  const patches: object[] = [
    {},
    { role: 'admin' },
    { roles: 'admin' },
    { roles: ['Admin'] },
    { roles: ['a', 'a'] },
    { roles: [1] },
    { roles: null },
    { status: 'deleted' },
    { sessions: 'keep' },
    { roles: [], email: 'x@example.com' },
    { roles: [], password: PASSWORD },
    [],
  ]
  for (const patch of patches) {
    const answer = await call(app, token, 'PATCH', `/admin/users/${id}`, patch)
    assert.equal(answer.statusCode, 400, JSON.stringify(patch))
  }
  assert.equal((await callEmpty(app, token, 'PATCH', `/admin/users/${id}`)).statusCode, 400)
  assert.equal((await me(app, accessToken)).statusCode, 200)

  for (const unknown of ['0190a0a0-0000-7000-8000-000000000000', 'me', '1', "'%20or%20true"]) {
    for (const [method, tail] of [
      ['GET', ''],
      ['PATCH', ''],
      ['DELETE', ''],
      ['GET', '/sessions'],
      ['DELETE', '/sessions'],
    ] as const) {
      const body = method === 'PATCH' ? { roles: [] } : undefined
      const answer = await call(app, token, method, `/admin/users/${unknown}${tail}`, body)
      assert.equal(answer.statusCode, 404, `${method} ${unknown}${tail}`)
      assert.equal(answer.json().code, 'NOT_FOUND')
    }
  }
})

test('only an administrator administers', async (t) => {
  const { app } = await setUp(t)
  const { accessToken } = await signUp(app)
  const id = await idOf(app, accessToken)
  const calls = [
    ['GET', '/admin/users'],
    ['POST', '/admin/users', { email: newEmail(), password: PASSWORD }],
    ['GET', `/admin/users/${id}`],
    ['PATCH', `/admin/users/${id}`, { roles: ['admin'] }],
    ['DELETE', `/admin/users/${id}`],
    ['GET', `/admin/users/${id}/sessions`],
    ['DELETE', `/admin/users/${id}/sessions`],
    ['POST', '/admin/revoke-all'],
  ] as const
  for (const [method, url, payload] of calls) {
    const refused = await call(app, accessToken, method, url, payload)
    assert.equal(refused.statusCode, 403, `${method} ${url}`)
    assert.equal(refused.json().code, 'AUTH_FORBIDDEN')
    const anonymous = await app.inject({ method, url, ...(payload && { payload }) })
    assert.equal(anonymous.statusCode, 401, `${method} ${url}`)
  }
  assert.equal((await me(app, accessToken)).statusCode, 200)
})

test('the last active administrator stays one, also while two remove each other', async (t) => {
  const { app, token, sql } = await setUp(t)
  const id = await idOf(app, token)
  const attempts = [
    call(app, token, 'DELETE', `/admin/users/${id}`),
    call(app, token, 'PATCH', `/admin/users/${id}`, { status: 'disabled' }),
    call(app, token, 'PATCH', `/admin/users/${id}`, { roles: ['editor'], sessions: 'logout' }),
  ]
  for (const answer of await Promise.all(attempts)) {
    assert.equal(answer.statusCode, 409)
    assert.equal(answer.json().code, 'ADMIN_REQUIRED')
  }
  // One who is disabled does not count.
  await sql`insert into users (id, email, password_hash, roles, status) values
    (gen_random_uuid(), 'asleep@example.com', 'none', '{admin}', 'disabled')`
  assert.equal((await call(app, token, 'DELETE', `/admin/users/${id}`)).statusCode, 409)
  assert.equal((await me(app, token)).statusCode, 200)

  for (let round = 0; round < 5; round++) {
    const others = [await adminToken(app, sql), await adminToken(app, sql)]
    const ids = await Promise.all(others.map((other) => idOf(app, other)))
    await sql`update users set status = 'disabled' where roles @> '{admin}' and not id = any(${ids})`
    const [one = '', two = ''] = others
    const patch = { roles: [] }
    const answers = await Promise.all([
      call(app, one, 'PATCH', `/admin/users/${ids[1]}`, patch),
      round % 2 === 0
        ? call(app, two, 'DELETE', `/admin/users/${ids[0]}`)
        : call(app, two, 'PATCH', `/admin/users/${ids[0]}`, patch),
    ])
    const statuses = answers.map(({ statusCode }) => statusCode)
    assert.equal(statuses.filter((status) => status < 300).length, 1, statuses.join())
    const left = await sql`select 1 from users where roles @> '{admin}' and status = 'active'`
    assert.equal(left.length, 1)
  }
})

test('a change of roles reaches the next refresh, and is on record with who did it', async (t) => {
  const { app, token, sql } = await setUp(t)
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

  // Repeated, as after an answer that was lost, it is told once more.
  const again = await call(app, token, 'PATCH', `/admin/users/${id}`, payload)
  assert.deepEqual(again.json(), patched.json())
  assert.equal((await me(app, next.accessToken)).statusCode, 401)
  const forced = { sessions: 'refresh' }
  assert.equal((await call(app, token, 'PATCH', `/admin/users/${id}`, forced)).statusCode, 200)

  const disable = { status: 'disabled' }
  assert.equal((await call(app, token, 'PATCH', `/admin/users/${id}`, disable)).json().status, 'disabled')
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
  assert.equal((await callEmpty(app, token, 'DELETE', `/admin/users/${id}/sessions`)).statusCode, 204)
  assert.equal((await callEmpty(app, token, 'DELETE', `/admin/users/${id}`)).statusCode, 204)
  assert.equal((await callEmpty(app, token, 'DELETE', `/admin/users/${id}`)).statusCode, 404)
  assert.equal((await logIn(app, email)).statusCode, 401)

  const actor = await idOf(app, token)
  const rows = await sql`
    select type, detail, user_agent from security_events
    where user_id = ${id} and actor_id = ${actor} and type in ('roles_changed', 'admin_action') order by id`
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
