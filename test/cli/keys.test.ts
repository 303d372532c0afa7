import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { confirm } from '../../src/cli/prompts.ts'
import type { Terminal } from '../../src/cli/terminal.ts'
import { me, refresh, signUp } from '../support/app-requests.ts'
import { runCli } from '../support/cli-process.ts'
import { openSql } from '../support/database.ts'
import { databaseEnvironment, type Env } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { kidOf } from '../support/keys/key-records.ts'
import { temporaryFolder } from '../support/temporary-files.ts'
import { until } from '../support/until.ts'

interface Listed {
  kid: string
  purpose: string
  state: string
}

/** Builds a server, which makes the keys, and returns it with the command line. */
async function setUp(t: TestContext, overrides: Env = {}) {
  const env = await databaseEnvironment(t)
  const app = await build(t, { KEY_PUBLICATION_DELAY: '0s', ...env, ...overrides })
  const pawl = async (line: string) => runCli(['keys', ...line.split(' ')], env)
  const list = async (line = 'list --json') => JSON.parse((await pawl(line)).stdout) as Listed[]
  return { env, app, pawl, list }
}

const states = (keys: Listed[]) => keys.map(({ purpose, state }) => `${purpose} ${state}`).sort()

test('Before the first start there are no keys, and nothing to rotate', async (t) => {
  const env = await databaseEnvironment(t)
  assert.match((await runCli(['keys', 'list'], env)).stdout, /^There are no keys yet/)
  assert.equal((await runCli(['keys', 'list', '--json'], env)).stdout, '[]\n')
  const { code, stderr } = await runCli(['keys', 'rotate'], env)
  assert.equal(code, 1)
  assert.match(stderr, /no next access key yet/)
})

test('The list of keys fits a terminal and shows no secret', async (t) => {
  const { pawl, list } = await setUp(t, { ACCESS_TOKEN_ALG: 'EdDSA' })
  const { stdout } = await pawl('list')
  const lines = stdout.trimEnd().split('\n')
  assert.equal(lines.length, 5)
  assert.match(lines[0] ?? '', /^KID +PURPOSE +STATE +ALG +SIGNS FROM +VERIFIES UNTIL$/)
  for (const line of lines) assert.ok(line.length <= 80, line)
  assert.deepEqual(states(await list()), [
    'access current',
    'access next',
    'refresh current',
    'refresh next',
  ])
  assert.deepEqual(states(await list('list --purpose refresh --json')), [
    'refresh current',
    'refresh next',
  ])
  for (const key of await list()) assert.ok(!('sealed' in key) && !('jwk' in key))
})

test('A rotation logs no user out, and the retired key still verifies', async (t) => {
  const { app, pawl, list } = await setUp(t)
  const pair = await signUp(app)
  const { code, stdout } = await pawl('rotate --json')
  assert.equal(code, 0)
  assert.deepEqual(states(JSON.parse(stdout)), [
    'access current',
    'access next',
    'refresh current',
    'refresh next',
  ])
  const first = kidOf(pair.accessToken)
  await until(async () =>
    (await list()).some(({ kid, state }) => kid === first && state === 'retired'),
  )
  assert.equal((await me(app, pair.accessToken)).statusCode, 200)
  const next = (await refresh(app, pair.refreshToken)).json()
  assert.notEqual(kidOf(next.accessToken), first)
  assert.notEqual(kidOf(next.refreshToken), kidOf(pair.refreshToken))
  assert.equal((await me(app, next.accessToken)).statusCode, 200)

  const again = await pawl(`retire ${first}`)
  assert.deepEqual([again.code, again.stdout], [0, 'The key is retired already.\n'])
})

test('The keys of one purpose can be rotated alone', async (t) => {
  const { pawl } = await setUp(t)
  const { stdout } = await pawl('rotate --purpose refresh --json')
  assert.deepEqual(states(JSON.parse(stdout)), ['refresh current', 'refresh next'])
})

test('Retiring a key at once refuses its tokens, after a confirmation that says so', async (t) => {
  const { app, pawl, list } = await setUp(t)
  const pair = await signUp(app)
  const access = kidOf(pair.accessToken)
  const asked = await pawl(`retire ${access.slice(0, 12)} --now`)
  assert.equal(asked.code, 1)
  assert.match(asked.stderr, /every access token that it signed will be refused[\s\S]+--yes/)
  assert.equal((await me(app, pair.accessToken)).statusCode, 200)

  assert.equal((await pawl(`retire ${access.slice(0, 12)} --now --yes`)).code, 0)
  await until(async () => (await me(app, pair.accessToken)).statusCode === 401)
  const next = (await refresh(app, pair.refreshToken)).json()
  assert.equal((await me(app, next.accessToken)).statusCode, 200)

  const lost = kidOf(next.refreshToken)
  assert.match((await pawl(`retire ${lost} --now`)).stderr, /will have to log in again/)
  assert.equal((await pawl(`retire ${lost} --now --yes`)).code, 0)
  await until(async () => (await refresh(app, next.refreshToken)).statusCode === 401)
  assert.ok((await list()).every(({ kid }) => kid !== lost && kid !== access))
  assert.equal((await list('list --all --json')).filter(({ state }) => state === 'gone').length, 2)
  const again = await pawl(`retire ${lost} --now --yes`)
  assert.deepEqual([again.code, again.stdout], [0, 'The key is gone already.\n'])
})

test('Rotating and revoking keys is recorded, but making the first keys is not', async (t) => {
  const { env, app, pawl, list } = await setUp(t)
  const sql = openSql(t, env)
  const access = kidOf((await signUp(app)).accessToken)
  await pawl('rotate --purpose access')
  await pawl(`retire ${access} --now --yes`)
  const [next] = (await list('list --purpose access --json')).filter(
    ({ state }) => state === 'current',
  )
  const events =
    await sql`select type, detail from security_events where type like 'key%' order by id`
  assert.deepEqual(
    events.map(({ type, detail }) => ({ type, ...detail })),
    [
      { type: 'key_rotated', purpose: 'access', kid: next?.kid, previousKid: access },
      { type: 'key_revoked', purpose: 'access', kid: access },
    ],
  )
})

test('A key is not retired if the given id is unknown or too short', async (t) => {
  const { pawl, list } = await setUp(t)
  for (const kid of ['nowhere-to-be-found', '-and-not-here', 'a', '""']) {
    const { code, stderr } = await pawl(`retire ${kid} --now --yes`)
    assert.equal(code, 1)
    assert.match(stderr, /No key has the id/)
  }
  assert.equal((await list()).length, 4)
})

test('A key that is about to sign is retired only with --now', async (t) => {
  const { pawl, list } = await setUp(t, { KEY_PUBLICATION_DELAY: '1h' })
  const next = (await list()).find(({ purpose, state }) => `${purpose} ${state}` === 'access next')
  assert.equal((await pawl('rotate --purpose access')).code, 0)
  const { code, stderr } = await pawl(`retire ${next?.kid}`)
  assert.equal(code, 1)
  assert.match(stderr, /about to sign, from \d{4}-/)
  assert.equal((await pawl(`retire ${next?.kid} --now --yes`)).code, 0)
  await until(
    async () => states(await list()).filter((state) => state.startsWith('access')).length === 2,
  )
})

test('The keys commands work on the embedded database', async (t) => {
  const env = { PAWL_DATA_DIR: await temporaryFolder(t) }
  assert.match((await runCli(['keys', 'list'], env)).stdout, /^There are no keys yet/)
})

test('A confirmation accepts y and yes, and nothing else', async () => {
  const ask = (typed: string) => {
    const stdin = Object.assign(new PassThrough(), { isTTY: true })
    stdin.end(typed)
    const terminal = { stdin, stderr: new PassThrough() } as unknown as Terminal
    return confirm(terminal, 'Everything ends.')
  }
  for (const typed of ['yes\n', 'y\n', ' YES \n']) await ask(typed)
  for (const typed of ['', '\n', 'no\n', 'yesterday\n'])
    await assert.rejects(ask(typed), /Nothing was done/)
})
