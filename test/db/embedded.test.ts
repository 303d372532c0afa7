import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import type { TokenPair } from '../../src/schemas/token-pair.ts'
import { cleanUp } from '../support/clean-up.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import type { Env } from '../support/environment.ts'
import { type ServerProcess, spawnServer, startServer } from '../support/server-process.ts'
import { until } from '../support/until.ts'

async function embedded(t: TestContext): Promise<Env> {
  const folder = await mkdtemp(join(tmpdir(), 'pawl-embedded-'))
  cleanUp(t, () => rm(folder, { recursive: true, force: true }))
  return { PAWL_DATA_DIR: join(folder, 'data'), PORT: '0' }
}

async function post(server: ServerProcess, path: string, body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' }
  return fetch(`${server.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
}

test('the printed commands work, and work again when they are repeated', async (t) => {
  const server = await startServer(t, await embedded(t))
  await server.printed('/auth/me')
  const lines = server
    .output()
    .split('\n')
    .filter((line) => /^ {2}(PAIR=|curl)/.test(line))
  assert.equal(lines.length, 3)
  for (let pasted = 1; pasted <= 2; pasted++) {
    // The e-mail address contains the time in seconds, and this loop is faster than a person.
    const script = `${lines.join('\n').replace('$(date +%s)', `$(date +%s)${pasted}`)}\n`
    const { stdout } = await promisify(execFile)('bash', ['-c', script])
    const [signup, refresh, me] = stdout
      .trim()
      .split(/\n|(?<=\})(?=\{)/)
      .map((line) => JSON.parse(line))
    assert.equal(refresh.sessionId, signup.sessionId)
    assert.notEqual(refresh.refreshToken, signup.refreshToken)
    assert.equal(me.sessionId, signup.sessionId)
  }
})

test('the embedded default serves the playground and prints its address', async (t) => {
  const server = await startServer(t, await embedded(t))
  await server.printed('/auth/me')
  assert.match(server.output(), new RegExp(`Open ${server.url} in a browser`))
  const page = await fetch(server.url)
  assert.equal(page.status, 200)
  assert.match(await page.text(), /<title>Pawl/)
})

test('secrets, accounts and sessions survive kill -9', async (t) => {
  const env = await embedded(t)
  const path = join(env.PAWL_DATA_DIR ?? '', 'secrets.json')
  const first = await startServer(t, env)
  const credentials = { email: newEmail(), password: PASSWORD }
  const signup = await post(first, '/auth/signup', credentials)
  assert.equal(signup.status, 201)
  const { refreshToken } = (await signup.json()) as TokenPair
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  const secrets = await readFile(path, 'utf8')

  first.child.kill('SIGKILL')
  await first.ended
  const second = await startServer(t, env)
  assert.equal(await readFile(path, 'utf8'), secrets)
  assert.equal((await post(second, '/auth/login', credentials)).status, 200)
  assert.equal((await post(second, '/auth/refresh', { refreshToken })).status, 200)
})

test('a second process on the same folder is refused', async (t) => {
  const env = await embedded(t)
  const first = await startServer(t, env)
  const second = spawnServer(t, env)
  assert.equal(await second.ended, 1)
  assert.match(second.output(), /is in use by another process/)
  const pair = (await (
    await post(first, '/auth/signup', { email: newEmail(), password: PASSWORD })
  ).json()) as TokenPair
  assert.ok(pair.accessToken)
})

test('a folder is created again if its creation was interrupted', async (t) => {
  const env = await embedded(t)
  const interrupted = spawnServer(t, env)
  const marker = join(env.PAWL_DATA_DIR ?? '', 'unfinished')
  await until(() => existsSync(marker))
  interrupted.child.kill('SIGKILL')
  await interrupted.ended
  assert.ok(existsSync(marker))

  const server = await startServer(t, env)
  const account = { email: newEmail(), password: PASSWORD }
  assert.equal((await post(server, '/auth/signup', account)).status, 201)
  assert.ok(!existsSync(marker))
})
