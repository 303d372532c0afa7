import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSmtpTransport } from '../../src/mail/smtp-transport.ts'
import { parseSmtpUrl } from '../../src/mail/smtp-url.ts'
import { cleanUp } from '../support/clean-up.ts'
import { problemsOf, production } from '../support/config.ts'
import { startMailServer } from '../support/mail/smtp.ts'

const MESSAGE = {
  id: '01a2269c-5e15-7158-8fc2-8dd38c779e32',
  to: 'ada@example.net',
  subject: 'Subject',
  text: 'Text',
  html: '<p>Text</p>',
  purpose: 'new-device',
} as const
const SENDER = { name: 'Example, "Inc" <evil@example.net>', address: 'login@example.com' }

test('TLS is demanded unless the server is on this machine or the URL says otherwise', () => {
  const { host, port, isSecure, needsStartTls, auth } =
    parseSmtpUrl('smtp://user:p%40ss@mail.example.com') ?? assert.fail()
  assert.deepEqual([host, port, isSecure, needsStartTls], ['mail.example.com', 587, false, true])
  assert.deepEqual(auth, { user: 'user', pass: 'p@ss' })
  assert.equal(parseSmtpUrl('smtp://mail.example.com:25?starttls=off')?.needsStartTls, false)
  assert.equal(parseSmtpUrl('smtp://127.0.0.1:25')?.needsStartTls, false)
  assert.equal(parseSmtpUrl('smtp://127.0.0.1.example.com')?.needsStartTls, true)
  assert.equal(parseSmtpUrl('smtps://mail.example.com')?.isSecure, true)
  assert.equal(parseSmtpUrl('smtps://mail.example.com')?.port, 465)
  for (const wrong of [
    'http://mail.example.com',
    'smtp://',
    'smtp://host/path',
    'smtp://host?tls=off',
    'smtp://host?starttls=off&x=1',
    'smtp://us%er@host',
  ])
    assert.equal(parseSmtpUrl(wrong), undefined, wrong)
})

test('neither a mail nor its recipient is sent if STARTTLS is demanded and missing', async (t) => {
  const server = await startMailServer(t)
  const recipients: string[] = []
  server.onRecipient = (address) => {
    recipients.push(address)
    return 'accept'
  }
  const target = parseSmtpUrl(server.url) ?? assert.fail()
  const transport = createSmtpTransport({ ...target, needsStartTls: true }, SENDER)
  cleanUp(t, async () => transport.close())
  const result = await transport.send(MESSAGE, new AbortController().signal)
  // It is about the settings, so the mail is not given up.
  assert.deepEqual(result, { outcome: 'failed', reason: 'reply 500', isPermanent: false })
  assert.deepEqual([server.received, recipients], [[], []])
})

test('hostile text adds no header and no recipient', async (t) => {
  const server = await startMailServer(t)
  const transport = createSmtpTransport(parseSmtpUrl(server.url) ?? assert.fail(), SENDER)
  cleanUp(t, async () => transport.close())
  const signal = new AbortController().signal
  const injected = '\r\nBcc: eve@example.net\r\nX-Injected: yes\r\n\r\nHello'
  await transport.send({ ...MESSAGE, subject: `Subject${injected}` }, signal)
  await transport.send({ ...MESSAGE, to: `ada@example.net${injected}` }, signal)
  await transport.send({ ...MESSAGE, to: 'ada@example.net, eve@example.net' }, signal)
  assert.ok(server.received.length > 0)
  for (const { from, to, headers } of server.received) {
    assert.equal(from, 'login@example.com')
    assert.ok(to.length === 1 && to[0] !== 'eve@example.net', to.join())
    assert.equal(headers.bcc, undefined)
    assert.equal(headers['x-injected'], undefined)
    assert.match(headers.from ?? '', /<login@example\.com>$/)
  }
})

test('the sender is one address, and SMTP_URL needs it', () => {
  const problems = (MAIL_FROM: string) =>
    problemsOf({ ...production(), SMTP_URL: 'smtps://user:secret@mail.example.com', MAIL_FROM })
  assert.deepEqual(problems('login@example.com'), [])
  assert.deepEqual(problems('Example <login@example.com>'), [])
  assert.deepEqual(problems(''), ['MAIL_FROM is required because SMTP_URL is set'])
  for (const wrong of ['Example', 'a@b.c, d@e.f', 'A <a@b.c>\r\nBcc: d@e.f', 'A <a@b.c> <d@e.f>'])
    assert.equal(problems(wrong).length, 1, wrong)
  const insecure = { ...production(), MAIL_LINK: 'http://app.example.com' }
  assert.match(problemsOf(insecure).join(), /MAIL_LINK must be/)
})
