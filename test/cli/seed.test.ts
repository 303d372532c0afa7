import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { logIn, me, signUp } from '../support/app-requests.ts'
import { runCli } from '../support/cli-process.ts'
import { PASSWORD } from '../support/credentials.ts'
import { databaseEnvironment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { temporaryFile } from '../support/temporary-files.ts'
import { userRows } from '../support/users-table.ts'

const SEEDS = [
  { email: 'Ada@Example.com', password: PASSWORD, roles: ['admin', 'editor'] },
  { email: 'bob@example.com', password: 'ratchet and pawl' },
  { email: 'eve@example.com', password: 'ratchet and pawl', status: 'disabled' },
]

test('Seeding a file a second time changes no row', async (t) => {
  const env = await databaseEnvironment(t)
  const path = await temporaryFile(t, SEEDS)

  const first = await runCli(['seed', '--file', path], env)
  assert.equal(first.code, 0, first.stderr)
  assert.match(
    first.stdout,
    /created ada@example\.com\ncreated bob@example\.com\ncreated eve@example\.com\n/,
  )
  assert.match(first.stdout, /3 created, 0 existed already/)
  const rows = await userRows(env.DATABASE_URL)
  assert.equal(rows.length, 3)

  const changed = SEEDS.map((seed) => ({
    ...seed,
    email: seed.email.toUpperCase(),
    roles: ['other'],
  }))
  for (const again of [path, await temporaryFile(t, changed)]) {
    const second = await runCli(['seed', '--file', again], env)
    assert.equal(second.code, 0, second.stderr)
    assert.equal(second.stdout, 'Users from the file: 0 created, 3 existed already.\n')
    assert.deepEqual(await userRows(env.DATABASE_URL), rows)
  }
})

test('Seeded users log in with their passwords and roles, except disabled ones', async (t) => {
  const env = await databaseEnvironment(t)
  const { code, stdout, stderr } = await runCli(
    ['seed', '--file', await temporaryFile(t, SEEDS)],
    env,
  )
  assert.equal(code, 0, stderr)
  assert.ok(!(stdout + stderr).includes(PASSWORD))

  const app = await build(t, env)
  const ada = await logIn(app, 'ada@example.com')
  assert.equal(ada.statusCode, 200)
  assert.deepEqual((await me(app, ada.json().accessToken)).json().roles, ['admin', 'editor'])
  assert.equal((await logIn(app, 'bob@example.com', 'ratchet and pawl')).statusCode, 200)
  const eve = await logIn(app, 'eve@example.com', 'ratchet and pawl')
  assert.equal(eve.json().code, 'AUTH_INVALID_CREDENTIALS')
})

test('Users are seeded by number, and missing ones are added the next time', async (t) => {
  const env = await databaseEnvironment(t)
  const first = await runCli(['seed', '--count', '2500'], env)
  assert.equal(first.code, 0, first.stderr)
  assert.match(first.stdout, /2500 created, 0 existed already/)
  // There is no progress bar, because this is not a terminal.
  assert.equal(first.stderr, '')
  const password = /Password of the new users: (\S{16})\n/.exec(first.stdout)?.[1] ?? ''
  const rows = await userRows(env.DATABASE_URL)
  assert.equal(rows.length, 2500)
  assert.equal(new Set(rows.map((row) => row.password_hash)).size, 1)

  const second = await runCli(['seed', '--count', '2500'], env)
  assert.equal(second.stdout, 'Users by number: 0 created, 2500 existed already.\n')
  assert.deepEqual(await userRows(env.DATABASE_URL), rows)
  const third = await runCli(['seed', '--count', '2501', '--password', PASSWORD], env)
  assert.equal(third.stdout, 'Users by number: 1 created, 2500 existed already.\n')

  const app = await build(t, env)
  for (const number of ['000001', '002500'])
    assert.equal((await logIn(app, `user${number}@seed.example`, password)).statusCode, 200)
  assert.equal((await logIn(app, 'user002501@seed.example')).statusCode, 200)
})

test('A file and a number can be seeded together', async (t) => {
  const env = await databaseEnvironment(t)
  const path = await temporaryFile(t, SEEDS)
  const { code, stderr } = await runCli(['seed', '--file', path, '--count', '7'], env)
  assert.equal(code, 0, stderr)
  assert.equal((await userRows(env.DATABASE_URL)).length, 10)
})

test('A database with real users is seeded only with --force', async (t) => {
  const env = await databaseEnvironment(t)
  const app = await build(t, env)
  const { email } = await signUp(app)
  const before = await userRows(env.DATABASE_URL)

  const refused = await runCli(['seed', '--count', '5'], env)
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /--force/)
  assert.equal(refused.stdout, '')
  assert.deepEqual(await userRows(env.DATABASE_URL), before)

  const path = await temporaryFile(t, [{ email, password: 'not the one it has' }])
  const forced = await runCli(['seed', '--file', path, '--count', '5', '--force'], env)
  assert.equal(forced.code, 0, forced.stderr)
  assert.match(forced.stdout, /from the file: 0 created, 1 existed already/)
  assert.equal((await userRows(env.DATABASE_URL)).length, 6)
  assert.equal((await logIn(app, email)).statusCode, 200)
})

test('A file with errors is refused as a whole, with every place and no value', async (t) => {
  const env = await databaseEnvironment(t)
  const path = await temporaryFile(t, [
    { email: 'fine@example.com', password: PASSWORD },
    { email: 'hush', password: 7, roles: ['Hush', 'ok'], status: 'hush' },
    'hush',
    { email: 'short@example.com', password: 'hush', 'pass word': 'hush' },
    { email: 'weak@example.com', password: 'hush' },
    { email: 'FINE@example.com', password: 'password123' },
    { password: PASSWORD },
  ])
  const { code, stdout, stderr } = await runCli(['seed', '--file', path], env)
  assert.equal(code, 1)
  assert.equal(stdout, '')
  assert.ok(!/hush/i.test(stderr.replaceAll(path, '')))
  const places = stderr
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(`${path} `, '').replace(/: .*/, ''))
  assert.deepEqual(places.sort(), [
    '[1].email',
    '[1].password',
    '[1].roles[0]',
    '[1].status',
    '[2]',
    '[3]["pass word"]',
    '[4].password',
    '[5].email',
    '[5].password',
    '[6].email',
  ])
  assert.equal((await userRows(env.DATABASE_URL)).length, 0)
})

test('A file with a byte order mark is read, and one in UTF-16 says what to do', async (t) => {
  const env = await databaseEnvironment(t)
  const path = await temporaryFile(t, SEEDS)
  await writeFile(path, `\uFEFF${JSON.stringify(SEEDS)}`)
  const marked = await runCli(['seed', '--file', path], env)
  assert.equal(marked.code, 0, marked.stderr)
  assert.match(marked.stdout, /3 created/)
  await writeFile(path, `\uFEFF${JSON.stringify(SEEDS)}`, 'utf16le')
  const wide = await runCli(['seed', '--file', path], env)
  assert.equal(wide.code, 1)
  assert.match(wide.stderr, /is UTF-16: save it as UTF-8/)
})

test('A file that is not a list of users is refused without quoting it', async (t) => {
  // Nothing listens at this address, because the file is checked before the database is used.
  const env = { DATABASE_URL: 'postgres://127.0.0.1:1/pawl' }
  const refusal = async (path: string) => {
    const { code, stderr } = await runCli(['seed', '--file', path], env)
    assert.equal(code, 1)
    return stderr.replace(path, 'FILE')
  }
  assert.equal(await refusal(await temporaryFile(t, '[hush]')), 'FILE is not JSON\n')
  assert.equal(
    await refusal(await temporaryFile(t, { hush: [] })),
    'FILE must contain an array of users\n',
  )
  assert.equal(await refusal('/no/such/file'), 'FILE cannot be read: there is no such file\n')
})
