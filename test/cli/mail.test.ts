import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runCli } from '../support/cli-process.ts'
import { openSql } from '../support/database.ts'
import { databaseEnvironment } from '../support/environment.ts'
import { openOutbox } from '../support/mail/outbox.ts'

test('pawl mail lists dead mails without their addresses, and retries them', async (t) => {
  const env = await databaseEnvironment(t)
  const { queue, newUser } = await openOutbox(t, env)
  const sql = openSql(t, env)
  const userId = await newUser()
  const mail = { purpose: 'new-device', userId, address: 'ada@example.net', at: 0 } as const
  await queue([mail, { ...mail, purpose: 'theft-found' }])
  await sql`
    update mails set dead_at = now(), send_until = now(), attempts = 3, last_error = 'reply 550'
    where purpose = 'theft-found'`
  const pawl = (line: string) => runCli(line.split(' '), { DATABASE_URL: env.DATABASE_URL })
  const table = (await pawl('mail list')).stdout
  assert.match(table, /new-device .* waiting .*\n.*theft-found .* dead +3 +reply 550/)
  assert.doesNotMatch(table, /ada@example/)
  const [dead, ...more] = JSON.parse((await pawl('mail list --dead --json')).stdout).mails
  assert.deepEqual([dead.purpose, more.length], ['theft-found', 0])
  const unknown = await pawl(`mail retry ${userId} --yes`)
  assert.equal(unknown.code, 1)
  assert.match(unknown.stderr, /Nothing was done/)
  const retried = JSON.parse((await pawl(`mail retry ${dead.id} --yes --json`)).stdout)
  assert.deepEqual(retried, { retried: [dead.id] })
  const left = await sql`select 1 from mails where dead_at is null and send_until > now()`
  assert.equal(left.length, 2)
})
