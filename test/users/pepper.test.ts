import assert from 'node:assert/strict'
import { test } from 'node:test'
import argon2 from 'argon2'
import { loadConfig } from '../../src/index.ts'
import { logIn, signUp } from '../support/app-requests.ts'
import { PASSWORD } from '../support/credentials.ts'
import { openSql } from '../support/database.ts'
import { environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'

const [OLD, NEW] = ['a pepper of more than 32 characters', 'another pepper, of about as many']
  .map((secret) => secret.replaceAll(',', ' and'))
  .map((secret) => secret.padEnd(32, '.')) as [string, string]

test('A pepper is added, replaced and removed by logins, and without it no password is right', async (t) => {
  const env = await environment(t)
  const sql = openSql(t, env)
  const app = (PASSWORD_PEPPER: string) => build(t, { ...env, PASSWORD_PEPPER })
  const { email } = await signUp(await build(t, env))
  const hash = async (): Promise<string> =>
    (await sql`select password_hash as hash from users where email = ${email}`)[0]?.hash
  const login = async (pepper: string) => (await logIn(await app(pepper), email)).statusCode
  const keyId = async () => /,keyid=([\w+/]{8})\$/.exec(await hash())?.[1]

  // A node that only knows the pepper leaves hashes as they are.
  assert.equal(await login(`,${OLD}`), 200)
  assert.equal(await keyId(), undefined)
  assert.equal(await login(OLD), 200)
  const first = await keyId()
  assert.ok(first)
  assert.equal(await argon2.verify(await hash(), PASSWORD), false, 'the hash needs the secret')
  assert.ok(!(await hash()).includes(OLD))
  assert.equal(await login(OLD), 200)
  assert.equal(await login(''), 401)
  assert.equal(await login(NEW), 401)
  assert.equal(await keyId(), first)

  assert.equal(await login(`${OLD},${NEW}`), 200)
  assert.equal(await keyId(), first)
  assert.equal(await login(`${NEW},${OLD}`), 200)
  const second = await keyId()
  assert.ok(second && second !== first)
  assert.equal(await login(OLD), 401)

  assert.equal(await login(`,${NEW}`), 200)
  assert.equal(await keyId(), undefined)
  assert.equal(await login(''), 200)
})

test('A pepper that is short or made up is refused', async (t) => {
  const env = await environment(t)
  for (const pepper of ['short', ',', `${OLD},short`, `,${'abc'.repeat(20)}`, 'x'.repeat(40)])
    assert.throws(() => loadConfig({ ...env, PASSWORD_PEPPER: pepper }), /PASSWORD_PEPPER must be/)
})
