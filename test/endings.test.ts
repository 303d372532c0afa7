import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Sql } from 'postgres'
import type { TokenPair } from '../src/schemas/token-pair.ts'
import { openSql } from './database.ts'
import { cleanUp, environment, newEmail, PASSWORD, until } from './helper.ts'
import { type ServerProcess, startServer } from './server-process.ts'
import { startRedis } from './services/redis.ts'

const NEXT = 'a ratchet of another wheel'

function send(server: ServerProcess, method: string, path: string, token?: string, body?: object) {
  return fetch(`${server.url}${path}`, {
    method,
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
}

async function pairOf(answer: Promise<Response>): Promise<TokenPair> {
  const response = await answer
  assert.ok(response.ok, `answered ${response.status}`)
  return (await response.json()) as TokenPair
}

const refresh = (server: ServerProcess, { refreshToken }: TokenPair) =>
  send(server, 'POST', '/auth/refresh', undefined, { refreshToken })

const isAccepted = async (server: ServerProcess, { accessToken }: TokenPair) => {
  const { status } = await send(server, 'GET', '/auth/me', accessToken)
  assert.ok(status === 200 || status === 401, `answered ${status}`)
  return status === 200
}

/** A user with two sessions, one of another user, and an administrator. */
async function cast(server: ServerProcess, sql: Sql) {
  const signUp = async () => {
    const credentials = { email: newEmail(), password: PASSWORD }
    const pair = await pairOf(send(server, 'POST', '/auth/signup', undefined, credentials))
    const me = (await (await send(server, 'GET', '/auth/me', pair.accessToken)).json()) as { id: string }
    const logIn = () => pairOf(send(server, 'POST', '/auth/login', undefined, credentials))
    return { ...credentials, id: me.id, pair, logIn }
  }
  const user = await signUp()
  const admin = await signUp()
  await sql`update users set roles = '{admin}' where id = ${admin.id}`
  const own = await user.logIn()
  return { user, own, other: user.pair, stranger: (await signUp()).pair, admin: await admin.logIn() }
}

type Cast = Awaited<ReturnType<typeof cast>>
/** Of a session: nothing is left; its access tokens are dead and its refresh goes on; nothing has happened to it. */
type Fate = 'ends' | 'refreshes' | 'goes on'

interface Trigger {
  pull(server: ServerProcess, cast: Cast): Promise<Response>
  status: number
  own: Fate
  other: Fate
  /** Of a stranger and the administrator; `goes on` unless given. */
  others?: Fate
}

const patch =
  (body: object): Trigger['pull'] =>
  (server, { user, admin }) =>
    send(server, 'PATCH', `/admin/users/${user.id}`, admin.accessToken, body)

const TRIGGERS: Record<string, Trigger> = {
  logout: {
    pull: (server, { own }) =>
      send(server, 'POST', '/auth/logout', undefined, { refreshToken: own.refreshToken }),
    status: 204,
    own: 'ends',
    other: 'goes on',
  },
  'a change of the password': {
    pull: (server, { own }) =>
      send(server, 'POST', '/auth/password', own.accessToken, {
        currentPassword: PASSWORD,
        newPassword: NEXT,
      }),
    status: 204,
    own: 'goes on',
    other: 'ends',
  },
  'a change of roles': {
    pull: patch({ roles: ['editor'] }),
    status: 200,
    own: 'refreshes',
    other: 'refreshes',
  },
  'a change of roles with logout': {
    pull: patch({ roles: ['editor'], sessions: 'logout' }),
    status: 200,
    own: 'ends',
    other: 'ends',
  },
  disabling: { pull: patch({ status: 'disabled' }), status: 200, own: 'ends', other: 'ends' },
  'disabling with refresh': {
    pull: patch({ status: 'disabled', sessions: 'refresh' }),
    status: 200,
    own: 'ends',
    other: 'ends',
  },
  deleting: {
    pull: (server, { user, admin }) => send(server, 'DELETE', `/admin/users/${user.id}`, admin.accessToken),
    status: 204,
    own: 'ends',
    other: 'ends',
  },
  'ending one': {
    pull: (server, { own, other }) =>
      send(server, 'DELETE', `/auth/sessions/${other.sessionId}`, own.accessToken),
    status: 204,
    own: 'goes on',
    other: 'ends',
  },
  'ending the others': {
    pull: (server, { own }) => send(server, 'DELETE', '/auth/sessions?except=current', own.accessToken),
    status: 204,
    own: 'goes on',
    other: 'ends',
  },
  'ending all': {
    pull: (server, { own }) => send(server, 'DELETE', '/auth/sessions', own.accessToken),
    status: 204,
    own: 'ends',
    other: 'ends',
  },
  'ending all by an administrator': {
    pull: (server, { user, admin }) =>
      send(server, 'DELETE', `/admin/users/${user.id}/sessions`, admin.accessToken),
    status: 204,
    own: 'ends',
    other: 'ends',
  },
  // The last: it leaves nothing behind.
  'revoking everything': {
    pull: (server, { admin }) => send(server, 'POST', '/admin/revoke-all', admin.accessToken),
    status: 202,
    own: 'ends',
    other: 'ends',
    others: 'ends',
  },
}

async function assertFate(server: ServerProcess, pair: TokenPair, fate: Fate): Promise<void> {
  if (fate === 'goes on') assert.equal(await isAccepted(server, pair), true)
  else await until(async () => !(await isAccepted(server, pair)))
  const answer = await refresh(server, pair)
  assert.equal(answer.status, fate === 'ends' ? 401 : 200)
  if (fate === 'ends') return
  const next = (await answer.json()) as TokenPair
  assert.equal(await isAccepted(server, next), true)
  // Whatever the refresh was told, the access token from before stays dead.
  if (fate === 'refreshes') assert.equal(await isAccepted(server, pair), false)
}

test('each way to end sessions is in force at a second process, for those it is about and no others', async (t) => {
  // On a machine that is busy with other tests a node falls behind.
  const env = await environment(t, { REVOCATION_MAX_STALENESS: '1m' })
  const [one, two] = await Promise.all([startServer(t, env), startServer(t, env)])
  const sql = openSql(t, env)
  for (const [name, { pull, status, own, other, others = 'goes on' }] of Object.entries(TRIGGERS)) {
    await t.test(name, async () => {
      const people = await cast(one, sql)
      for (const pair of [people.own, people.other, people.stranger, people.admin])
        assert.equal(await isAccepted(two, pair), true)
      assert.equal((await pull(one, people)).status, status)
      await assertFate(two, people.other, other)
      await assertFate(two, people.own, own)
      await assertFate(two, people.stranger, others)
      await assertFate(two, people.admin, others)
      // Where it was done it is in force with the answer.
      if (other !== 'goes on') assert.equal(await isAccepted(one, people.other), false)
    })
  }
})

test('what is dead stays dead when Redis has lost everything, and at a node that starts later', async (t) => {
  const redis = await startRedis()
  cleanUp(t, redis.stop)
  const env = await environment(t, { REDIS_URL: redis.url })
  const one = await startServer(t, env)
  const sql = openSql(t, env)
  const dead: TokenPair[] = []
  for (const name of ['a change of the password', 'disabling', 'deleting', 'ending all'] as const) {
    const people = await cast(one, sql)
    await TRIGGERS[name]?.pull(one, people)
    dead.push(people.other)
  }
  // Without persistence: it comes back empty.
  await redis.restart()
  const late = await startServer(t, env)
  for (const server of [one, late]) {
    await until(async () => (await send(server, 'GET', '/health/ready')).status === 200)
    for (const pair of dead) {
      assert.equal(await isAccepted(server, pair), false)
      assert.equal((await refresh(server, pair)).status, 401)
    }
  }
})

test('what was committed while Redis could not be told is in force when it can be', async (t) => {
  const redis = await startRedis()
  cleanUp(t, redis.stop)
  const env = await environment(t, { REDIS_URL: redis.url, REVOCATION_MAX_STALENESS: '1m' })
  const [one, two] = await Promise.all([startServer(t, env), startServer(t, env)])
  const { own, other } = await cast(one, openSql(t, env))
  redis.kill('SIGSTOP')
  const answer = await send(one, 'DELETE', '/auth/sessions?except=current', own.accessToken)
  assert.equal(answer.status, 503)
  redis.kill('SIGCONT')
  await until(async () => !(await isAccepted(two, other)))
  await until(async () => (await refresh(two, other)).status === 401)
  assert.equal(await isAccepted(two, own), true)
  // To repeat it does no harm.
  const again = await send(two, 'DELETE', '/auth/sessions?except=current', own.accessToken)
  assert.equal(again.status, 204)
  assert.equal((await refresh(one, own)).status, 200)
})

test('an administrator who loses the role while he is at work is served nowhere past the bound', async (t) => {
  const bound = 1_000
  const env = await environment(t, { REVOCATION_MAX_STALENESS: `${bound}ms` })
  const servers = await Promise.all([startServer(t, env), startServer(t, env)])
  const [one] = servers
  const sql = openSql(t, env)
  const people = await cast(one, sql)
  await sql`update users set roles = '{admin}' where id = ${people.user.id}`
  const { accessToken } = await people.user.logIn()

  let over = false
  const answers: { begun: number; status: number }[] = []
  const work = async (server: ServerProcess) => {
    while (!over) {
      const begun = performance.now()
      const { status } = await send(server, 'GET', '/admin/users', accessToken)
      answers.push({ begun, status })
    }
  }
  const workers = servers.flatMap((server) => [work(server), work(server)])
  await until(() => answers.filter(({ status }) => status === 200).length > 50)
  assert.equal((await patch({ roles: [] })(one, people)).status, 200)
  const answered = performance.now()
  await until(() => answers.filter(({ begun }) => begun > answered + bound).length > 50)
  over = true
  await Promise.all(workers)
  const late = answers.filter(({ begun }) => begun > answered + bound).map(({ status }) => status)
  assert.deepEqual([...new Set(late)], [401])
  // What changes something asks the stores, and waits for no bound.
  for (const server of servers) {
    const path = `/admin/users/${people.user.id}`
    assert.equal((await send(server, 'PATCH', path, accessToken, { roles: ['admin'] })).status, 401)
  }
})
