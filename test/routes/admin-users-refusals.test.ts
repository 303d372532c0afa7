import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildWithAdministrator, idOf } from '../support/administrator.ts'
import { call, callEmpty, me, signUp } from '../support/app-requests.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { adminToken } from '../support/events/scenarios.ts'

test('malformed queries, unknown users and malformed changes are refused', async (t) => {
  const { app, token } = await buildWithAdministrator(t)
  const encode = (text: string) => Buffer.from(text).toString('base64url')
  const cursors = [
    '',
    '!',
    'eA',
    encode('UPPER@example.com'),
    encode("x' or true"),
    `${encode('a@b.c')}A`,
  ]
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
    const response = await call(app, token, 'GET', `/admin/users?${query}`)
    assert.equal(response.statusCode, 400, query)
    assert.equal(response.json().code, 'VALIDATION_FAILED')
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
    const response = await call(app, token, 'PATCH', `/admin/users/${id}`, patch)
    assert.equal(response.statusCode, 400, JSON.stringify(patch))
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
      const response = await call(app, token, method, `/admin/users/${unknown}${tail}`, body)
      assert.equal(response.statusCode, 404, `${method} ${unknown}${tail}`)
      assert.equal(response.json().code, 'NOT_FOUND')
    }
  }
})

test('users without the role `admin` cannot administer anything', async (t) => {
  const { app } = await buildWithAdministrator(t)
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

test('the last active administrator stays, even if two remove each other at once', async (t) => {
  const { app, token, sql } = await buildWithAdministrator(t)
  const id = await idOf(app, token)
  const attempts = [
    call(app, token, 'DELETE', `/admin/users/${id}`),
    call(app, token, 'PATCH', `/admin/users/${id}`, { status: 'disabled' }),
    call(app, token, 'PATCH', `/admin/users/${id}`, { roles: ['editor'], sessions: 'logout' }),
  ]
  for (const response of await Promise.all(attempts)) {
    assert.equal(response.statusCode, 409)
    assert.equal(response.json().code, 'ADMIN_REQUIRED')
  }
  // A disabled administrator does not count.
  await sql`insert into users (id, email, password_hash, roles, status) values
    (gen_random_uuid(), 'disabled@example.com', 'none', '{admin}', 'disabled')`
  assert.equal((await call(app, token, 'DELETE', `/admin/users/${id}`)).statusCode, 409)
  assert.equal((await me(app, token)).statusCode, 200)

  for (let round = 0; round < 5; round++) {
    const others = [await adminToken(app, sql), await adminToken(app, sql)]
    const ids = await Promise.all(others.map((other) => idOf(app, other)))
    await sql`
      update users set status = 'disabled' where roles @> '{admin}' and not id = any(${ids})`
    const [one = '', two = ''] = others
    const patch = { roles: [] }
    const responses = await Promise.all([
      call(app, one, 'PATCH', `/admin/users/${ids[1]}`, patch),
      round % 2 === 0
        ? call(app, two, 'DELETE', `/admin/users/${ids[0]}`)
        : call(app, two, 'PATCH', `/admin/users/${ids[0]}`, patch),
    ])
    const statuses = responses.map(({ statusCode }) => statusCode)
    assert.equal(statuses.filter((status) => status < 300).length, 1, statuses.join())
    const left = await sql`select 1 from users where roles @> '{admin}' and status = 'active'`
    assert.equal(left.length, 1)
  }
})
