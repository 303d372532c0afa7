import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import type { SessionDelivery, SessionStart } from '../../src/http/pawl-application.ts'
import { call, me, refresh } from '../support/app-requests.ts'
import { buildHost } from '../support/embedded-host.ts'
import { inject } from '../support/retry-unavailable.ts'

type Start = Partial<SessionStart> & SessionDelivery & Pick<SessionStart, 'user'>

/** Builds a host whose own login trusts the body of the request. */
async function setUp(t: TestContext) {
  const { host } = await buildHost(t, {
    extend: (app) => {
      app.post<{ Body: Start }>('/sign-in', (request, reply) =>
        app.pawl.sessions.start(request, reply, { amr: ['hwk'], ...request.body }),
      )
      app.get('/hello', { preHandler: app.authenticate }, async ({ auth }) => auth)
    },
  })
  const signIn = (payload: Start, headers = {}) =>
    inject(host, { method: 'POST', url: '/sign-in', payload, headers })
  return { host, signIn }
}

const hello = (host: FastifyInstance, token: string) => call(host, token, 'GET', '/hello')

test('a user of the application needs nothing but an id', async (t) => {
  const { host, signIn } = await setUp(t)
  const id = `google|${crypto.randomUUID()}:a@b.c_D-1`
  const response = await signIn({ user: { id } })
  assert.equal(response.statusCode, 200, response.body)
  assert.equal(response.headers['cache-control'], 'no-store')
  const { accessToken, refreshToken, sessionId } = response.json()
  assert.equal((await hello(host, accessToken)).json().userId, id)
  assert.deepEqual((await me(host, accessToken)).json(), { id, roles: [], sessionId })
  const successor = await refresh(host, refreshToken)
  assert.equal(successor.statusCode, 200)
  assert.equal((await hello(host, successor.json().accessToken)).json().userId, id)
  assert.deepEqual(
    (await host.pawl.sessions.list(id)).map((session) => session.id),
    [sessionId],
  )
})

test('the refresh token goes into the cookie if the client or the application says so', async (t) => {
  const { signIn } = await setUp(t)
  const user = { id: crypto.randomUUID() }
  const own = { 'x-token-delivery': 'cookie', origin: 'https://auth.example.com' }
  for (const response of [
    await signIn({ user }, own),
    await signIn({ user, delivery: 'cookie' }, { 'sec-fetch-site': 'cross-site' }),
  ]) {
    assert.equal(response.statusCode, 200, response.body)
    assert.match(String(response.headers['set-cookie']), /^__Host-pawl-refresh=ey/)
    assert.equal(response.json().refreshToken, undefined)
  }
  const foreign = await signIn({ user }, { ...own, origin: 'https://evil.example.com' })
  assert.equal(foreign.statusCode, 403)
  assert.equal(foreign.headers['set-cookie'], undefined)
})

test('other roles at the next start revoke the tokens of the user', async (t) => {
  const { host, signIn } = await setUp(t)
  const id = crypto.randomUUID()
  const first = (await signIn({ user: { id, roles: ['editor'] } })).json()
  assert.deepEqual((await hello(host, first.accessToken)).json().roles, ['editor'])
  await signIn({ user: { id } })
  const second = crypto.randomUUID()
  const both = (await signIn({ user: { id: second, roles: ['editor', 'viewer'] } })).json()
  await signIn({ user: { id: second, roles: ['viewer', 'editor'] } })
  assert.equal((await hello(host, both.accessToken)).statusCode, 200)
  await signIn({ user: { id, roles: ['editor'] } })
  assert.equal((await hello(host, first.accessToken)).statusCode, 200)
  const other = (await signIn({ user: { id, roles: ['viewer'] } })).json()
  assert.equal((await hello(host, first.accessToken)).statusCode, 401)
  assert.deepEqual((await hello(host, other.accessToken)).json().roles, ['viewer'])
  const { accessToken } = (await refresh(host, first.refreshToken)).json()
  assert.deepEqual((await hello(host, accessToken)).json().roles, ['viewer'])
})

test('the application ends one session, or all but one', async (t) => {
  const { host, signIn } = await setUp(t)
  const user = { id: `user-${crypto.randomUUID()}` }
  const [one, two, three] = [await signIn({ user }), await signIn({ user }), await signIn({ user })]
  const { sessions } = host.pawl
  const isLive = async (response: typeof one) => {
    const { accessToken, refreshToken } = response.json()
    const [used, refreshed] = [await hello(host, accessToken), await refresh(host, refreshToken)]
    return [used.statusCode, refreshed.statusCode]
  }
  assert.equal(await sessions.end(one.json().sessionId), true)
  assert.deepEqual(await isLive(one), [401, 401])
  assert.equal(await sessions.end(crypto.randomUUID()), false)
  assert.equal(await sessions.end('no id'), false)
  assert.equal(await sessions.endAll(user.id, { except: two.json().sessionId }), true)
  assert.deepEqual(await isLive(three), [401, 401])
  assert.equal((await refresh(host, two.json().refreshToken)).statusCode, 200)
  assert.equal(await sessions.endAll(user.id), true)
  assert.deepEqual(await sessions.list(user.id), [])
  assert.equal(await sessions.endAll('nobody'), false)
  await assert.rejects(sessions.endAll(user.id, { except: 'no id' }), TypeError)
})

test('a mistake of the application is a TypeError that names the place and not the value', async (t) => {
  const { host } = await setUp(t)
  const put = (user: object) => host.pawl.users.put(user as never)
  await assert.rejects(put({ id: 'no spaces' }), {
    name: 'TypeError',
    message: 'app.pawl.users.put: id must have 1 to 128 letters, digits, and . _ : @ | -',
  })
  await assert.rejects(put({ id: 'a'.repeat(129) }), TypeError)
  await assert.rejects(put({ id: '' }), TypeError)
  await assert.rejects(put({}), TypeError)
  await assert.rejects(put({ id: 'a', roles: ['Not a role'] }), TypeError)
})
