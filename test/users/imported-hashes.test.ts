import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildWithAdministrator } from '../support/administrator.ts'
import { call, logIn, refresh } from '../support/app-requests.ts'
import { runCli } from '../support/cli-process.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { openSql } from '../support/database.ts'
import { databaseEnvironment } from '../support/environment.ts'
import { IMPORTED } from '../support/imported-hashes.ts'
import { build } from '../support/in-process-server.ts'
import { temporaryFile } from '../support/temporary-files.ts'

const addressOf = (name: string) => `${name.toLowerCase().replace(/[^a-z0-9]+/g, '-')}@example.com`

test('Users of other applications log in with their old passwords, which are hashed anew', async (t) => {
  const env = await databaseEnvironment(t)
  const seeds = Object.entries(IMPORTED).map(([name, { hash }]) => ({
    email: addressOf(name),
    passwordHash: hash,
  }))
  const seeding = await runCli(['seed', '--file', await temporaryFile(t, seeds)], env)
  assert.equal(seeding.code, 0, seeding.stderr)
  const app = await build(t, env)
  const sql = openSql(t, env)
  for (const [name, { hash, password }] of Object.entries(IMPORTED)) {
    const email = addressOf(name)
    const stored = async () =>
      (await sql`select password_hash as hash from users where email = ${email}`)[0]?.hash
    assert.equal((await logIn(app, email, `${password}!`)).statusCode, 401, name)
    assert.equal(await stored(), hash, name)
    const login = await logIn(app, email, password)
    assert.equal(login.statusCode, 200, name)
    assert.match(await stored(), /^\$argon2id\$v=19\$/, name)
    assert.equal((await logIn(app, email, password)).statusCode, 200, name)
    assert.equal((await logIn(app, email, `${password}!`)).statusCode, 401, name)
    // It is no change of the password, so the first session goes on.
    assert.equal((await refresh(app, login.json().refreshToken)).statusCode, 200, name)
  }
})

test('A password counts as it was typed and as it is normalized', async (t) => {
  const env = await databaseEnvironment(t)
  const app = await build(t, env)
  const sql = openSql(t, env)
  const typed = 'cafe\u0301 au lait'
  const bcrypt = (await import('bcrypt')).default
  for (const form of [typed, typed.normalize('NFKC')]) {
    const email = newEmail()
    const hash = await bcrypt.hash(form, 4)
    await sql`insert into users (id, email, password_hash) values (${email}, ${email}, ${hash})`
    assert.equal((await logIn(app, email, typed)).statusCode, 200)
    assert.equal((await logIn(app, email, typed.normalize('NFKC'))).statusCode, 200)
  }
})

test('An administrator creates users with an id and a hash, and neither is ever shown', async (t) => {
  const { app, token } = await buildWithAdministrator(t)
  const create = (user: object) => call(app, token, 'POST', '/admin/users', user)
  const { hash, password } = IMPORTED['bcrypt of PHP'] as { hash: string; password: string }
  const email = newEmail()
  const created = await create({ id: 'auth0|5f7c', email, passwordHash: hash })
  assert.equal(created.statusCode, 201, created.body)
  assert.equal(created.json().id, 'auth0|5f7c')
  assert.ok(!created.body.includes(hash))
  assert.equal((await logIn(app, email, password)).statusCode, 200)

  const plain = await create({ id: 'no-password-here' })
  assert.equal(plain.statusCode, 201)
  assert.equal(plain.json().email, undefined)

  const taken = await create({ id: 'auth0|5f7c', email: newEmail() })
  assert.deepEqual([taken.statusCode, taken.json().code], [409, 'USER_ID_TAKEN'])
  const addressTaken = await create({ id: 'other', email })
  assert.deepEqual([addressTaken.statusCode, addressTaken.json().code], [409, 'AUTH_EMAIL_TAKEN'])
})

test('A new user that cannot be is refused with the field that is wrong', async (t) => {
  const { app, token } = await buildWithAdministrator(t)
  const { hash } = IMPORTED['bcrypt of PHP'] as { hash: string }
  const email = newEmail()
  const refused: [object, string][] = [
    [{}, ''],
    [{ roles: ['editor'] }, 'email'],
    [{ password: PASSWORD }, 'email'],
    [{ email, password: PASSWORD, passwordHash: hash }, 'passwordHash'],
    [{ email, passwordHash: 'secret-of-nobody' }, 'passwordHash'],
    [{ email, passwordHash: '!' }, 'passwordHash'],
    [{ email, passwordHash: '' }, 'passwordHash'],
    [{ email, passwordHash: `${hash} ` }, 'passwordHash'],
    [{ email, passwordHash: hash.replace('$2y$', '$2x$') }, 'passwordHash'],
    [{ email, passwordHash: hash.replace('$07$', '$31$') }, 'passwordHash'],
    [{ email, passwordHash: 'a'.repeat(1_025) }, 'passwordHash'],
    [{ id: 'with space', email }, 'id'],
    [{ id: '', email }, 'id'],
  ]
  for (const [user, field] of refused) {
    const response = await call(app, token, 'POST', '/admin/users', user)
    assert.equal(response.statusCode, 400, JSON.stringify(user))
    assert.deepEqual(
      response.json().errors.map((error: { field: string }) => error.field),
      [field],
    )
    assert.ok(!response.body.includes('secret-of-nobody'))
  }
})

test('A hash that would take minutes or gigabytes is refused', async (t) => {
  const env = await databaseEnvironment(t)
  const salt = 'MDEyMzQ1Njc4OWFiY2RlZg'
  const seeds = [
    `$argon2id$v=19$m=4194304,t=3,p=1$${salt}$${salt}`,
    `$argon2id$v=19$m=65536,t=1000,p=1$${salt}$${salt}`,
    `$scrypt$ln=30,r=8,p=1$${salt}$${salt}`,
    `$scrypt$ln=14,r=8,p=100000$${salt}$${salt}`,
    `$pbkdf2-sha256$i=999999999,l=16$${salt}$${salt}`,
    `pbkdf2_sha256$99999999$salt$${salt}`,
    '$2b$20$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW',
  ].map((passwordHash, index) => ({ id: `user${index}`, passwordHash }))
  const { code, stderr, stdout } = await runCli(
    ['seed', '--file', await temporaryFile(t, seeds)],
    env,
  )
  assert.equal(code, 1)
  for (const index of seeds.keys())
    assert.match(stderr, new RegExp(`\\[${index}\\]\\.passwordHash: costs too much`))
  for (const { passwordHash } of seeds) assert.ok(!(stdout + stderr).includes(passwordHash))
})

test('A hash that is none lets nobody in and fails no request', async (t) => {
  const env = await databaseEnvironment(t)
  const app = await build(t, env)
  const sql = openSql(t, env)
  for (const hash of ['', 'none', '$argon2id$v=19$m=4194304,t=9,p=1$MDEyMzQ1Njc4OWFi$', '!']) {
    const email = newEmail()
    await sql`insert into users (id, email, password_hash) values (${email}, ${email}, ${hash})`
    for (const password of [PASSWORD, hash || 'empty'])
      assert.equal((await logIn(app, email, password)).json().code, 'AUTH_INVALID_CREDENTIALS')
  }
})
