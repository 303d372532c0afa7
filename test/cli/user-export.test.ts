import assert from 'node:assert/strict'
import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { logIn } from '../support/app-requests.ts'
import { runCli } from '../support/cli-process.ts'
import { PASSWORD } from '../support/credentials.ts'
import { openSql } from '../support/database.ts'
import { databaseEnvironment } from '../support/environment.ts'
import { IMPORTED } from '../support/imported-hashes.ts'
import { build } from '../support/in-process-server.ts'
import { temporaryFile, temporaryFolder } from '../support/temporary-files.ts'

const USERS = [
  { id: 'auth0|1', email: 'ada@example.com', password: PASSWORD, roles: ['admin', 'editor'] },
  {
    email: 'bob@example.com',
    emailVerified: true,
    passwordHash: IMPORTED['bcrypt of PHP']?.hash,
  },
  { email: 'eve@example.com', password: PASSWORD, status: 'disabled' },
  { id: 'without:address' },
  // An id may look like the address of somebody else.
  { id: 'bob@example.com', email: 'carol@example.com' },
]

test('An export, seeded elsewhere, gives the same users with the same passwords', async (t) => {
  const [from, to] = [await databaseEnvironment(t), await databaseEnvironment(t)]
  const seeded = await runCli(['seed', '--file', await temporaryFile(t, USERS)], from)
  assert.equal(seeded.code, 0, seeded.stderr)
  assert.match(seeded.stdout, /created without:address\n/)
  const path = join(await temporaryFolder(t), 'export.json')

  const exported = await runCli(['user', 'export', '--file', path], from)
  assert.equal(exported.code, 0, exported.stderr)
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  const imported = await runCli(['seed', '--file', path], to)
  assert.equal(imported.code, 0, imported.stderr)
  assert.match(imported.stdout, /5 created, 0 existed already/)

  const again = await runCli(['seed', '--file', path], to)
  assert.match(again.stdout, /0 created, 5 existed already/)
  const toOutput = await runCli(['user', 'export'], to)
  assert.equal(toOutput.stdout, await readFile(path, 'utf8'))

  const app = await build(t, to)
  const login = await logIn(app, 'ada@example.com')
  assert.equal(login.statusCode, 200)
  assert.equal((await logIn(app, 'bob@example.com', 'rasmuslerdorf')).statusCode, 200)
  assert.equal((await logIn(app, 'eve@example.com')).statusCode, 401)
  const rows = await openSql(t, to)`
    select id, roles, email_verified as verified from users
    where email in ('ada@example.com', 'bob@example.com') order by email`
  assert.deepEqual({ ...rows[0] }, { id: 'auth0|1', roles: ['admin', 'editor'], verified: false })
  assert.equal(rows[1]?.verified, true)
})

test('An export writes pages of users once each, and an empty list if there is none', async (t) => {
  const env = await databaseEnvironment(t)
  const none = await runCli(['user', 'export'], env)
  assert.deepEqual(JSON.parse(none.stdout), [])
  await openSql(t, env)`
    insert into users (id, email)
    select 'user-' || n, case when n % 2 = 0 then 'U' || n || '@Example.com' end
    from generate_series(1, 2500) as n`
  const { stdout, stderr } = await runCli(['user', 'export'], env)
  const users: { id: string }[] = JSON.parse(stdout)
  assert.equal(new Set(users.map(({ id }) => id)).size, 2_500)
  assert.equal(users.length, 2_500)
  assert.match(stderr, /Users exported: 2500/)
})

test('An export never writes over a file', async (t) => {
  const env = await databaseEnvironment(t)
  const path = join(await temporaryFolder(t), 'precious.json')
  await writeFile(path, 'precious')
  await chmod(path, 0o644)
  const { code, stderr } = await runCli(['user', 'export', '--file', path], env)
  assert.equal(code, 1)
  assert.match(stderr, /precious\.json cannot be created: it exists/)
  assert.equal(await readFile(path, 'utf8'), 'precious')
})

test('An export leaves out sign-ups whose link was not used', async (t) => {
  const env = await databaseEnvironment(t)
  const seeded = await runCli(['seed', '--file', await temporaryFile(t, USERS)], env)
  assert.equal(seeded.code, 0, seeded.stderr)
  await openSql(t, env)`
    update users set awaits_verification = true where email = 'ada@example.com'`
  const { stdout, stderr } = await runCli(['user', 'export'], env)
  const emails = JSON.parse(stdout).map(({ email }: { email?: string }) => email)
  assert.equal(emails.length, USERS.length - 1)
  assert.ok(!emails.includes('ada@example.com'))
  assert.match(stderr, /Users exported: 4/)
})
