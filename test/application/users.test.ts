import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { call } from '../support/app-requests.ts'
import { buildHost } from '../support/embedded-host.ts'
import { inject } from '../support/retry-unavailable.ts'

const addRoutes = (app: FastifyInstance) => {
  app.post<{ Body: { id: string } }>('/sign-in', (request, reply) =>
    app.pawl.sessions.start(request, reply, { user: request.body, amr: ['hwk'] }),
  )
}

async function signIn(host: FastifyInstance, id: string) {
  const response = await inject(host, { method: 'POST', url: '/sign-in', payload: { id } })
  assert.equal(response.statusCode, 200, response.body)
  return response.json()
}

const status = async (host: FastifyInstance, token: string) =>
  (await call(host, token, 'GET', '/auth/me')).statusCode

test('the application creates, changes and deletes its users', async (t) => {
  const { host } = await buildHost(t, { extend: addRoutes })
  const { users } = host.pawl
  const id = `user:${crypto.randomUUID()}`
  assert.equal(await users.find(id), undefined)
  const email = `${crypto.randomUUID()}@Example.com`
  const { createdAt, ...created } = await users.put({ id, email, roles: ['editor'] })
  assert.deepEqual(created, {
    id,
    email: email.toLowerCase(),
    roles: ['editor'],
    status: 'active',
  })
  const { accessToken } = await signIn(host, id)
  assert.equal((await users.put({ id, email: null })).email, undefined)
  assert.deepEqual((await users.put({ id })).roles, ['editor'])
  assert.equal(await status(host, accessToken), 200)
  await users.put({ id, status: 'disabled' })
  assert.equal(await status(host, accessToken), 401)
  const refused = await host.inject({ method: 'POST', url: '/sign-in', payload: { id } })
  assert.equal(refused.statusCode, 403)
  assert.equal(await users.delete(id), true)
  assert.equal(await users.delete(id), false)
  assert.equal(await users.find(id), undefined)
  assert.equal(await users.find('no spaces'), undefined)
})

test('an address belongs to one user', async (t) => {
  const { host } = await buildHost(t)
  const { users } = host.pawl
  const [id, other] = [crypto.randomUUID(), crypto.randomUUID()]
  const email = `${id}@example.com`
  await users.put({ id, email })
  await assert.rejects(users.put({ id: other, email }), { code: 'AUTH_EMAIL_TAKEN' })
  await users.put({ id: other })
  await assert.rejects(users.put({ id: other, email }), { code: 'AUTH_EMAIL_TAKEN' })
  await assert.rejects(users.put({ id: other, email: email.toUpperCase() }), {
    code: 'AUTH_EMAIL_TAKEN',
  })
  await users.put({ id, email })
})

test('a user who is created again under the same id has new tokens only', async (t) => {
  const { host } = await buildHost(t, { extend: addRoutes })
  const id = crypto.randomUUID()
  const before = await signIn(host, id)
  assert.equal(await host.pawl.users.delete(id), true)
  const after = await signIn(host, id)
  assert.equal(await status(host, before.accessToken), 401)
  assert.equal(await status(host, after.accessToken), 200)
  // The revocation of the deleted user is published again from Postgres to a node that starts.
  const { statusCode } = await inject(host, {
    method: 'POST',
    url: '/auth/refresh',
    payload: { refreshToken: before.refreshToken },
  })
  assert.equal(statusCode, 401)
})

test('the same user, put many times at once, is created once', async (t) => {
  const { host } = await buildHost(t)
  const id = crypto.randomUUID()
  const puts = Array.from({ length: 20 }, () =>
    host.pawl.users.put({ id, email: `${id}@example.com`, roles: ['editor'] }),
  )
  for (const user of await Promise.all(puts)) assert.deepEqual(user.roles, ['editor'])
})
