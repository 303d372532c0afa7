import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { doublings } from '../../src/users/password-hashes/stored-hash.ts'
import { logIn } from '../support/app-requests.ts'
import { runCli } from '../support/cli-process.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { openSql } from '../support/database.ts'
import { databaseEnvironment } from '../support/environment.ts'
import { IMPORTED } from '../support/imported-hashes.ts'
import { build } from '../support/in-process-server.ts'
import { temporaryFile } from '../support/temporary-files.ts'
import { until } from '../support/until.ts'

test('The costs between two powers of two add up to their difference', () => {
  const power = fc.integer({ min: 1, max: 20 }).map((exponent) => 2 ** exponent)
  fc.assert(
    fc.property(power, power, (one, other) => {
      const [from, to] = [Math.min(one, other), Math.max(one, other)]
      const sum = doublings(from, to).reduce((total, cost) => total + cost, 0)
      assert.equal(sum, to - from)
      assert.deepEqual(doublings(0, to), [to])
    }),
  )
})

test('The work of imported hashes is known before the first of them is stored', async (t) => {
  const env = await databaseEnvironment(t)
  const sql = openSql(t, env)
  const works = async () =>
    Object.fromEntries(
      (await sql`select family, cost from password_work`).map(({ family, cost }) => [family, cost]),
    )
  const hashes = Object.values(IMPORTED).map(({ hash }) => ({
    email: newEmail(),
    passwordHash: hash,
  }))
  const { code, stderr } = await runCli(['seed', '--file', await temporaryFile(t, hashes)], env)
  assert.equal(code, 0, stderr)
  assert.deepEqual(await works(), {
    bcrypt: 2 ** 7,
    'argon2i-m256-t2-p1': 1,
    'argon2id-m1024-t2-p1': 1,
    'argon2d-m1024-t2-p1': 1,
    'pbkdf2-sha1': 4_096,
    'pbkdf2-sha256': 250_000,
    'pbkdf2-sha512': 1_000,
    'scrypt-r8-p1': 2 ** 14,
    'scrypt-r8-p16': 2 ** 10,
    'scrypt-r16-p1': 2 ** 14,
  })
})

test('A login adds the work of its own parameters, and of a hash that SQL has put there', async (t) => {
  const env = await databaseEnvironment(t)
  const app = await build(t, env)
  const sql = openSql(t, env)
  const [email, hash] = [newEmail(), IMPORTED['bcrypt of PHP']?.hash ?? '']
  await sql`insert into users (id, email, password_hash) values ('a', ${email}, ${hash})`
  assert.equal((await logIn(app, email, PASSWORD)).statusCode, 401)
  await until(async () => {
    const works = await sql`select family, cost from password_work order by family`
    return works.length === 2 && works[0]?.family.startsWith('argon2id-') && works[1]?.cost === 128
  })
})
