import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSql } from '../support/database.ts'
import { environment } from '../support/environment.ts'
import { openOutbox } from '../support/mail/outbox.ts'

const AT = Date.UTC(2026, 10, 29, 8, 5)

test('a mail exists if and only if the change that it is about was committed', async (t) => {
  const env = await environment(t)
  const { queue, newUser } = await openOutbox(t, env)
  const userId = await newUser()
  const mail = { purpose: 'password-changed', userId, address: 'ada@example.com', at: AT } as const
  const failing = queue([mail], () => Promise.reject(new Error('the change failed')))
  await assert.rejects(failing)
  await queue([mail, { purpose: 'reset-password', userId, address: mail.address }])
  const sql = openSql(t, env)
  const rows = await sql`select purpose, facts from mails order by seq`
  const facts = { at: '2026-11-29 08:05 UTC', device: 'an unknown device', ip: 'unknown' }
  assert.deepEqual(
    rows.map((row) => ({ ...row })),
    [
      { purpose: 'password-changed', facts },
      { purpose: 'reset-password', facts: {} },
    ],
  )
  await sql`delete from users where id = ${userId}`
  assert.deepEqual([...(await sql`select 1 from mails`)], [])
})

test('a notice has no text that the device chose', async (t) => {
  const env = await environment(t)
  const { queue, newUser } = await openOutbox(t, env)
  const userId = await newUser()
  const notice = { purpose: 'new-device', userId, address: 'ada@example.com', at: AT } as const
  const agents = {
    'Visit evil.example/1 now': 'an unknown device',
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36':
      'Chrome on Linux',
  }
  for (const [userAgent, expected] of Object.entries(agents)) {
    const device = { ip: '192.0.2.1', userAgent }
    await queue([{ ...notice, device }])
    const [row] = await openSql(t, env)`select facts from mails order by seq desc limit 1`
    assert.equal(row?.facts.device, expected)
    assert.equal(row?.facts.ip, '192.0.2.1')
  }
})
