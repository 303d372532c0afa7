import assert from 'node:assert/strict'
import { chmodSync, lstatSync, readdirSync } from 'node:fs'
import { chown, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Env } from '../support/environment.ts'
import { spawnServer, startServer } from '../support/server-process.ts'
import { temporaryFolder } from '../support/temporary-files.ts'

/** Returns the environment of an embedded server whose process has this umask. */
async function embedded(t: TestContext, umask = 0): Promise<Env & { PAWL_DATA_DIR: string }> {
  const code = `data:text/javascript,process.umask(${umask})`
  const PAWL_DATA_DIR = join(await temporaryFolder(t), 'data')
  return { PAWL_DATA_DIR, PORT: '0', NODE_OPTIONS: `--import ${code}` }
}

const modeOf = (path: string) => (lstatSync(path).mode & 0o777).toString(8)

/** Returns the error with which a server refuses to start. */
async function refusal(t: TestContext, env: Env): Promise<string> {
  const server = spawnServer(t, env)
  assert.equal(await server.ended, 1, server.output())
  assert.match(server.output(), /Pawl cannot start\./)
  return server.output()
}

test('the data folder and all in it are for the owner alone, without a umask', async (t) => {
  const env = await embedded(t)
  const server = await startServer(t, env)
  const names = readdirSync(env.PAWL_DATA_DIR, { recursive: true, encoding: 'utf8' })
  assert.ok(names.length > 100)
  const paths = ['.', ...names].map((name) => join(env.PAWL_DATA_DIR, name))
  assert.deepEqual(paths.filter((path) => lstatSync(path).mode & 0o077).slice(0, 5), [])
  server.child.kill('SIGTERM')
  assert.equal(await server.ended, 0)
})

test('a umask that takes permissions from the owner does not count', async (t) => {
  const env = await embedded(t, 0o777)
  await startServer(t, env)
  assert.equal(modeOf(env.PAWL_DATA_DIR), '700')
  assert.equal(modeOf(join(env.PAWL_DATA_DIR, 'postgres', 'base')), '700')
  assert.equal(modeOf(join(env.PAWL_DATA_DIR, 'secrets.json')), '600')
  assert.equal(modeOf(join(env.PAWL_DATA_DIR, 'postgres', 'PG_VERSION')), '600')
  assert.equal(modeOf(join(env.PAWL_DATA_DIR, 'lock')), '600')
})

test('links in the data folder are not followed when files are created', async (t) => {
  const env = await embedded(t)
  const victim = join(env.PAWL_DATA_DIR, '..', 'victim')
  const missing = join(env.PAWL_DATA_DIR, '..', 'missing')
  await writeFile(victim, 'untouched')
  await mkdir(env.PAWL_DATA_DIR, { mode: 0o700 })
  await symlink(victim, join(env.PAWL_DATA_DIR, 'secrets.json.new'))
  await symlink(missing, join(env.PAWL_DATA_DIR, 'unfinished'))
  await startServer(t, env)
  assert.equal(await readFile(victim, 'utf8'), 'untouched')
  await assert.rejects(stat(missing))
  assert.ok(lstatSync(join(env.PAWL_DATA_DIR, 'secrets.json')).isFile())

  const other = await embedded(t)
  await mkdir(other.PAWL_DATA_DIR, { mode: 0o700 })
  await symlink(missing, join(other.PAWL_DATA_DIR, 'secrets.json'))
  assert.match(await refusal(t, other), /secrets\.json is a link/)
  await assert.rejects(stat(missing))
})

test('secrets that others could read are closed to them at the next start', async (t) => {
  const env = await embedded(t)
  const first = await startServer(t, env)
  first.child.kill('SIGTERM')
  await first.ended
  const path = join(env.PAWL_DATA_DIR, 'secrets.json')
  chmodSync(path, 0o644)
  await startServer(t, env)
  assert.equal(modeOf(path), '600')
})

test('a folder that others can write to is refused', async (t) => {
  for (const mode of [0o777, 0o720, 0o702]) {
    const env = await embedded(t)
    await mkdir(env.PAWL_DATA_DIR)
    chmodSync(env.PAWL_DATA_DIR, mode)
    assert.match(await refusal(t, env), /other users can write to the folder .*chmod 700/)
    assert.deepEqual(readdirSync(env.PAWL_DATA_DIR), [])
  }
})

const isRoot = process.getuid?.() === 0
test('a folder or a file of another user is refused', { skip: !isRoot }, async (t) => {
  const NOBODY = 65_534
  const env = await embedded(t)
  await mkdir(env.PAWL_DATA_DIR, { mode: 0o700 })
  await chown(env.PAWL_DATA_DIR, NOBODY, NOBODY)
  assert.match(await refusal(t, env), /belongs to another user/)
  assert.deepEqual(readdirSync(env.PAWL_DATA_DIR), [])

  const link = await embedded(t)
  await symlink(env.PAWL_DATA_DIR, link.PAWL_DATA_DIR)
  assert.match(await refusal(t, link), /belongs to another user/)

  const file = await embedded(t)
  await mkdir(file.PAWL_DATA_DIR, { mode: 0o700 })
  const path = join(file.PAWL_DATA_DIR, 'secrets.json')
  await writeFile(path, '{}')
  await chown(path, NOBODY, NOBODY)
  assert.match(await refusal(t, file), /secrets\.json belongs to another user/)
})
