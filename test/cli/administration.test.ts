import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { TokenPair } from '../../src/schemas/token-pair.ts'
import { cleanUp } from '../support/clean-up.ts'
import { runCli } from '../support/cli-process.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { openSql } from '../support/database.ts'
import { type Env, environment } from '../support/environment.ts'
import { startServer } from '../support/server-process.ts'
import { me, post, signUpAt } from '../support/server-requests.ts'
import { startRedis } from '../support/services/redis.ts'
import { until } from '../support/until.ts'

/** Starts a server process, and returns what an operator and a client do with it. */
async function setUp(t: TestContext, overrides: Env = {}) {
  const env = await environment(t, overrides)
  const { url } = await startServer(t, env)
  const { DATABASE_URL = '' } = env

  async function send(path: string, body: object, userAgent = 'a test') {
    const response = await post(url, path, body, { 'user-agent': userAgent })
    return { status: response.status, pair: (await response.json()) as TokenPair }
  }

  return {
    sql: openSql(t, env),
    pawl: (line: string) => runCli(line.split(' '), { DATABASE_URL }),
    signUp: async (email = newEmail()) => {
      const pair = await signUpAt(url, { email, password: PASSWORD }, { 'user-agent': 'a test' })
      return { ...pair, email }
    },
    logIn: (email: string, userAgent?: string) =>
      send('/auth/login', { email, password: PASSWORD }, userAgent),
    refresh: (refreshToken: string) => send('/auth/refresh', { refreshToken }),
    rolesOf: async (token: string) =>
      ((await (await me(url, token)).json()) as { roles: string[] }).roles,
    status: async (token: string) => (await me(url, token)).status,
  }
}

type Setting = Awaited<ReturnType<typeof setUp>>

/** Once a command has returned, both tokens are refused within the maximum staleness. */
async function assertDead({ status, refresh }: Setting, pair: TokenPair): Promise<void> {
  assert.equal((await refresh(pair.refreshToken)).status, 401)
  await until(async () => (await status(pair.accessToken)) === 401)
}

const actions = async ({ sql }: Setting) =>
  (await sql`select detail from security_events where type = 'admin_action' order by id`).map(
    ({ detail }) => `${detail.action} by ${detail.via}`,
  )

test('A running server refuses a user who was disabled, until they are enabled', async (t) => {
  const setting = await setUp(t)
  const { pawl, signUp, logIn, sql } = setting
  const pair = await signUp()
  const { email } = pair
  const { code, stdout, stderr } = await pawl(`user disable ${email.toUpperCase()} --yes`)
  assert.equal(code, 0, stderr)
  assert.equal(
    stdout,
    `${email} is disabled, and their sessions have ended.\nIt is in force on every server.\n`,
  )
  await assertDead(setting, pair)
  assert.equal((await logIn(email)).status, 401)

  const enabled = await pawl(`user enable ${email} --json`)
  const { id, ...facts } = JSON.parse(enabled.stdout)
  assert.deepEqual(facts, { email, roles: [], status: 'active', inForce: true })
  assert.equal((await logIn(email)).status, 200)
  await assertDead(setting, pair)

  const deleted = JSON.parse((await pawl(`user delete ${id} --yes --json`)).stdout)
  assert.equal(deleted.inForce, true)
  assert.equal((await logIn(email)).status, 401)
  assert.deepEqual([...(await sql`select email from users`)], [])
  assert.deepEqual(await actions(setting), [
    'user_disabled by cli',
    'user_enabled by cli',
    'user_deleted by cli',
  ])
})

test('New roles take effect at the next refresh, or with --logout at the next login', async (t) => {
  const setting = await setUp(t)
  const { pawl, signUp, refresh, rolesOf, status, sql } = setting
  const pair = await signUp()
  const added = JSON.parse(
    (await pawl(`user roles ${pair.email} --add editor,author --json`)).stdout,
  )
  assert.deepEqual([added.roles, added.inForce], [['editor', 'author'], true])
  await until(async () => (await status(pair.accessToken)) === 401)
  const next = (await refresh(pair.refreshToken)).pair
  assert.deepEqual(await rolesOf(next.accessToken), ['editor', 'author'])

  const same = JSON.parse((await pawl(`user roles ${pair.email} --add author --json`)).stdout)
  assert.deepEqual(same.roles, ['editor', 'author'])
  assert.equal(await status(next.accessToken), 200)

  const line = `user roles ${pair.email} --remove editor --logout --yes`
  assert.match((await pawl(line)).stdout, /has the roles author\.\nIt is in force/)
  await assertDead(setting, next)
  const changes =
    await sql`select detail from security_events where type = 'roles_changed' order by id`
  assert.deepEqual(
    changes.map(({ detail }) => detail),
    [
      { from: [], to: ['editor', 'author'] },
      { from: ['editor', 'author'], to: ['author'] },
    ],
  )
})

test('A listed session can be revoked, and the other sessions of the user go on', async (t) => {
  const setting = await setUp(t)
  const { pawl, signUp, logIn, status, sql } = setting
  const { email, ...first } = await signUp()
  const second = (await logIn(email, `Mozilla/5.0 (X11; Linux x86_64) ${'Gecko '.repeat(20)}`)).pair
  const listed = JSON.parse((await pawl(`session list ${email} --json`)).stdout)
  assert.deepEqual(
    listed.map(({ id }: { id: string }) => id),
    [second.sessionId, first.sessionId],
  )
  assert.equal(listed[1].userAgent, 'a test')
  const lines = (await pawl(`session list ${email}`)).stdout.trimEnd().split('\n')
  assert.match(lines[0] ?? '', /^ID +LAST SEEN +ADDRESS +DEVICE$/)
  assert.equal(lines.length, 3)
  for (const line of lines) assert.ok(line.length <= 80, line)

  const [shown = ''] = lines[2]?.split(' ') ?? []
  const { stdout } = await pawl(`session revoke ${shown} --yes`)
  assert.equal(stdout, `The session of ${email} has ended.\nIt is in force on every server.\n`)
  await assertDead(setting, first)
  assert.equal(await status(second.accessToken), 200)
  assert.match((await pawl(`session revoke ${first.sessionId} --yes`)).stdout, /has ended already/)

  assert.equal((await pawl(`session revoke --user ${email} --yes`)).code, 0)
  await assertDead(setting, second)
  assert.equal((await pawl(`session list ${email}`)).stdout, 'There are no live sessions.\n')
  assert.deepEqual(await actions(setting), ['sessions_ended by cli', 'sessions_ended by cli'])
  const ended =
    await sql`select session_id as id from security_events where type = 'session_ended' order by id`
  assert.deepEqual(
    ended.map(({ id }) => id),
    [first.sessionId, second.sessionId],
  )
})

test('revoke-all ends every existing session, and no session that starts later', async (t) => {
  // A Redis of its own, because revoke-all ends the sessions of all tests that share one.
  const redis = await startRedis()
  cleanUp(t, redis.stop)
  const setting = await setUp(t, { REDIS_URL: redis.url })
  const { pawl, signUp, logIn, status, refresh } = setting
  const pairs = [await signUp(), await signUp()]
  const { stdout } = await pawl('revoke-all --yes')
  assert.equal(stdout, 'Every session has ended.\nIt is in force on every server.\n')
  for (const pair of pairs) await assertDead(setting, pair)

  const { status: loginStatus, pair } = await logIn(pairs[0]?.email ?? '')
  assert.equal(loginStatus, 200)
  assert.equal(await status(pair.accessToken), 200)
  assert.equal((await refresh(pair.refreshToken)).status, 200)
  assert.equal(JSON.parse((await pawl('revoke-all --yes --json')).stdout).inForce, true)
  await assertDead(setting, pair)
  assert.deepEqual(await actions(setting), [
    'everything_revoked by cli',
    'everything_revoked by cli',
  ])
})
