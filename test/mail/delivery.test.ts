import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IssuedCode, MailMessage, NewMail } from '../../src/mail/mail.ts'
import { openSql } from '../support/database.ts'
import { environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { buildMailNode, mailEnvironment } from '../support/mail/node.ts'
import { openOutbox } from '../support/mail/outbox.ts'
import { startMailServer } from '../support/mail/smtp.ts'
import { until } from '../support/until.ts'

const AT = Date.UTC(2026, 10, 29, 8, 5)

const notice = (userId: string, address: string, purpose: NewMail['purpose'] = 'new-device') =>
  ({ purpose, userId, address, at: AT }) as NewMail

test('a mail that was committed before a crash is sent by the next server', async (t) => {
  const server = await startMailServer(t)
  const env = await mailEnvironment(t, server.url)
  const { queue, newUser } = await openOutbox(t, env)
  await queue([notice(await newUser(), 'ada@example.net')])
  const app = await build(t, env)
  const sql = openSql(t, env)
  await until(async () => (await sql`select 1 from mails`).length === 0)
  const [mail, ...more] = server.received
  assert.ok(mail)
  assert.equal(more.length, 0)
  assert.deepEqual([mail.from, mail.to], ['login@example.com', ['ada@example.net']])
  assert.equal(mail.headers.from, 'Example <login@example.com>')
  assert.equal(mail.headers.subject, 'Sign-in from a new device')
  assert.match(mail.source, /signed in to your account at\s+Example/)
  assert.match(mail.source, / - time: 2026-11-29 08:05 UTC/)
  assert.match(mail.source, /<li>time: 2026-11-29 08:05 UTC<\/li>/)
  assert.doesNotMatch(mail.source, /<img|<script|\burl\(/)
  await until(async () =>
    (await app.inject('/metrics')).body.includes('pawl_mail_attempts_total{outcome="delivered"} 1'),
  )
})

test('mails of a user arrive in order when the server was down, and nobody waits', async (t) => {
  const server = await startMailServer(t)
  const env = await mailEnvironment(t, server.url)
  const { queue, newUser } = await openOutbox(t, env)
  const { app } = await buildMailNode(t, env)
  await app.ready()
  const [first, other] = [await newUser(), await newUser()]
  server.onRecipient = (address) => (address === 'slow@example.net' ? 450 : 'accept')
  await queue([
    notice(first, 'slow@example.net', 'new-device'),
    notice(first, 'ada@example.net', 'password-changed'),
    notice(other, 'bob@example.net'),
  ])
  app.mails.wake()
  const sql = openSql(t, env)
  await until(async () => (await sql`select 1 from mails where user_id = ${other}`).length === 0)
  const [held] = await sql`select last_error from mails where address = 'slow@example.net'`
  assert.equal(held?.last_error, 'reply 450')
  await server.goDown()
  server.onRecipient = () => 'accept'
  await server.comeBack()
  await until(async () => (await sql`select 1 from mails`).length === 0)
  const recipients = server.received.map(({ to }) => to[0])
  assert.deepEqual(recipients, ['bob@example.net', 'slow@example.net', 'ada@example.net'])
})

for (const [where, reply] of [
  ['recipient', 550],
  ['mail', 554],
] as const)
  test(`a refused ${where} is dead at once, and no log line has the address`, async (t) => {
    const server = await startMailServer(t)
    if (where === 'recipient') server.onRecipient = () => reply
    else server.onData = ({ to }) => (to[0] === 'wrong@example.net' ? reply : 'accept')
    const env = await mailEnvironment(t, server.url)
    const { queue, newUser } = await openOutbox(t, env)
    const node = await buildMailNode(t, env)
    await node.app.ready()
    const userId = await newUser()
    await queue([notice(userId, 'wrong@example.net')])
    node.app.mails.wake()
    const sql = openSql(t, env)
    await until(async () => (await sql`select 1 from mails where dead_at is not null`).length > 0)
    const [row] = await sql`select attempts, last_error from mails`
    assert.deepEqual({ ...row }, { attempts: 1, last_error: `reply ${reply}` })
    // The rest of the user's mails goes on.
    server.onRecipient = () => 'accept'
    await queue([notice(userId, 'right@example.net')])
    node.app.mails.wake()
    await until(() => server.received.some(({ to }) => to[0] === 'right@example.net'))
    await until(() => node.output().includes('mail_dead'))
    assert.doesNotMatch(node.output(), /@example\.net/)
  })

test('a server that dies between the data and its reply gets the mail again', async (t) => {
  const server = await startMailServer(t)
  let cuts = 0
  server.onData = () => (++cuts === 1 ? 'cut' : 'accept')
  const env = await mailEnvironment(t, server.url)
  const { queue, newUser } = await openOutbox(t, env)
  let issued = 0
  const { app } = await buildMailNode(t, env, {
    issue: async () => ({ token: `token-${++issued}`, expiresAt: Date.now() + 3_600_000 }),
  })
  await app.ready()
  await queue([{ purpose: 'reset-password', userId: await newUser(), address: 'ada@example.net' }])
  app.mails.wake()
  const sql = openSql(t, env)
  await until(async () => (await sql`select 1 from mails`).length === 0)
  const [first, second] = server.received
  assert.equal(server.received.length, 2)
  assert.equal(first?.headers['message-id'], second?.headers['message-id'])
  // Each attempt has a code of its own, and the newest is the one that is valid.
  assert.match(first?.source ?? '', /app\.example\.com\/#token=token-1&purpose=reset-password/)
  assert.match(second?.source ?? '', /app\.example\.com\/#token=token-2&purpose=reset-password/)
  assert.match(second?.source ?? '', /works once, for 60 minutes/)
})

test('a server that never replies delays neither the stop nor the next node', async (t) => {
  const server = await startMailServer(t)
  const env = await mailEnvironment(t, server.url)
  const { queue, newUser } = await openOutbox(t, env)
  const { app } = await buildMailNode(t, env)
  await app.ready()
  server.onData = () => new Promise(() => {})
  await queue([notice(await newUser(), 'ada@example.net')])
  app.mails.wake()
  await until(() => server.received.length === 1)
  await app.close()
  server.onData = () => 'accept'
  const next = await buildMailNode(t, env)
  await next.app.ready()
  next.app.mails.wake()
  const sql = openSql(t, env)
  await until(async () => (await sql`select 1 from mails`).length === 0)
  assert.equal(server.received.length, 2)
})

test('the callback gets the mail, again if it fails, and no token is in Postgres', async (t) => {
  const env = { ...(await environment(t)), MAIL_LINK: 'https://app.example.com/#/account' }
  const { queue, newUser } = await openOutbox(t, env)
  const sql = openSql(t, env)
  const messages: MailMessage[] = []
  const stored: string[] = []
  async function mail(message: MailMessage): Promise<void> {
    stored.push(JSON.stringify(await sql`select * from mails`))
    messages.push(message)
    if (messages.length === 1) throw new Error(`cannot send to ${message.to}`)
  }
  async function issue({ purpose }: { purpose: string }): Promise<IssuedCode> {
    const made = purpose === 'login-code' ? { code: '1234-5678' } : { token: 'T0KEN' }
    return { ...made, expiresAt: Date.now() + 900_000 }
  }
  const node = await buildMailNode(t, env, { mail, issue })
  await node.app.ready()
  const [ada, bob] = [await newUser(), await newUser()]
  await queue([{ purpose: 'verify-address', userId: ada, address: 'ada@example.net' }])
  node.app.mails.wake()
  await until(async () => (await sql`select 1 from mails`).length === 0)
  await queue([{ purpose: 'login-code', userId: bob, address: 'bob@example.net' }])
  node.app.mails.wake()
  await until(async () => (await sql`select 1 from mails`).length === 0)
  const [first, second, login] = messages
  assert.equal(first?.id, second?.id)
  assert.equal(second?.link, 'https://app.example.com/#/account?token=T0KEN&purpose=verify-address')
  assert.equal(login?.code, '1234-5678')
  assert.match(login?.text ?? '', /1234-5678/)
  assert.equal(stored.length, 3)
  assert.doesNotMatch(stored.join(), /T0KEN|1234-5678/)
  assert.doesNotMatch(node.output(), /@example\.net|T0KEN|1234-5678/)
})

test('a mail whose reason is over, and one that is too late, are not sent', async (t) => {
  const server = await startMailServer(t)
  const env = await mailEnvironment(t, server.url)
  const { queue, newUser } = await openOutbox(t, env)
  const sql = openSql(t, env)
  await queue([
    { purpose: 'reset-password', userId: await newUser(), address: 'ada@example.net' },
    { purpose: 'new-device', userId: await newUser(), address: 'late@example.net', at: AT },
  ])
  await sql`update mails set send_until = now() - interval '1 s' where purpose = 'new-device'`
  const { app } = await buildMailNode(t, env)
  await app.ready()
  app.mails.wake()
  await until(async () => (await sql`select 1 from mails where dead_at is null`).length === 0)
  const [late] = await sql`select address, last_error from mails`
  assert.deepEqual({ ...late }, { address: 'late@example.net', last_error: 'too late' })
  assert.deepEqual(server.received, [])
})
