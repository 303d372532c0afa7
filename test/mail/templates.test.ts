import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { MAIL_PURPOSES } from '../../src/mail/mail.ts'
import { loadTemplates } from '../../src/mail/templates.ts'
import { cleanUp } from '../support/clean-up.ts'

const NAMES = ['service', 'address', 'page', 'link', 'code', 'validFor', 'at', 'device', 'ip']
const HOSTILE = '</p><script>"\'&\r\nBcc: x@example.net\u2028\u202e{{link}}'

test('no value adds a line, an element or a placeholder to any mail', () => {
  const { render } = loadTemplates(undefined)
  const hostile = fc.oneof(fc.constant(HOSTILE), fc.string({ unit: 'binary' }))
  const values = fc.record(Object.fromEntries(NAMES.map((name) => [name, hostile])))
  const plain = Object.fromEntries(NAMES.map((name) => [name, 'x']))
  const lines = (text: string) => text.split(/\r|\n|\u2028|\u2029/).length
  const elements = (html: string) => html.match(/</g)?.length
  fc.assert(
    fc.property(fc.constantFrom(...MAIL_PURPOSES), values, (purpose, given) => {
      const mail = render(purpose, given)
      const expected = render(purpose, plain)
      assert.doesNotMatch(mail.subject, /[\r\n]/)
      assert.equal(lines(mail.text), lines(expected.text))
      assert.equal(lines(mail.html), lines(expected.html))
      assert.equal(elements(mail.html), elements(expected.html))
      assert.doesNotMatch(mail.html, /<script|<img/)
    }),
  )
})

test('a file in the folder replaces one template, and a wrong one fails the start', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'pawl-mails-'))
  cleanUp(t, () => rm(folder, { recursive: true }))
  const file = join(folder, 'reset-password.txt')
  await writeFile(file, 'Subject: Neues Passwort\n\nHier: {{ link }}\n')
  const { render } = loadTemplates(folder)
  const own = render('reset-password', { link: 'https://app.example.com/#token=x' })
  assert.equal(own.subject, 'Neues Passwort')
  assert.equal(own.text, 'Hier: https://app.example.com/#token=x\n')
  assert.match(own.html, /Set a new password/)
  assert.equal(render('new-device', {}).subject, 'Sign-in from a new device')

  await writeFile(file, 'Subject: New\n\n{{ip}}\n')
  assert.throws(() => loadTemplates(folder), /reset-password.txt must not contain {{ip}}/)
  await writeFile(file, 'Hello\n')
  assert.throws(() => loadTemplates(folder), /reset-password.txt must begin with "Subject: "/)
})
