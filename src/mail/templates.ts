import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CODE_PURPOSES, MAIL_PURPOSES, type MailPurpose } from './mail.ts'

/** The same relative path in the sources and in dist. */
const BUILT_IN = fileURLToPath(new URL('./templates/', import.meta.url))

const PLACEHOLDER = /\{\{\s*(\w+)\s*\}\}/g
const SUBJECT = /^Subject: (.+)\r?\n\r?\n/

/** The values that a template may contain, besides those of every mail. */
const COMMON = ['service', 'address', 'page']
const OF_CODES = ['link', 'code', 'validFor']
const OF_NOTICES = ['at', 'device', 'ip', 'newAddress']

interface Template {
  subject: string
  text: string
  html: string
}

export type Templates = ReturnType<typeof loadTemplates>

/**
 * Reads the templates. Files in `folder` replace the ones that come with Pawl, each by its name.
 * Throws if a file has no subject, or a placeholder that has no value in its mail.
 */
export function loadTemplates(folder: string | undefined) {
  const layout = read(folder, 'layout.html')
  check('layout.html', layout, ['content', ...COMMON])
  const templates = new Map(MAIL_PURPOSES.map((purpose) => [purpose, load(folder, purpose)]))

  return {
    /** Returns a mail with its values. In HTML they are escaped, and no value spans two lines. */
    render(purpose: MailPurpose, values: Readonly<Record<string, string>>): Template {
      const { subject, text, html } = templates.get(purpose) as Template
      const plain = mapValues(values, oneLine)
      const escaped = mapValues(plain, escapeHtml)
      return {
        subject: fill(subject, plain),
        text: fill(text, plain),
        html: fill(layout, { ...escaped, content: fill(html, escaped) }),
      }
    },
  }
}

function load(folder: string | undefined, purpose: MailPurpose): Template {
  const file = read(folder, `${purpose}.txt`)
  const html = read(folder, `${purpose}.html`)
  const subject = SUBJECT.exec(file)?.[1]
  if (!subject)
    throw new Error(`The mail template ${purpose}.txt must begin with "Subject: " and a blank line`)
  const isCode = CODE_PURPOSES.some((code) => code === purpose)
  const names = [...COMMON, ...(isCode ? OF_CODES : OF_NOTICES)]
  check(`${purpose}.txt`, file, names)
  check(`${purpose}.html`, html, names)
  return { subject: subject.trim(), text: file.replace(SUBJECT, ''), html }
}

function read(folder: string | undefined, name: string): string {
  const own = folder === undefined ? undefined : join(folder, name)
  return readFileSync(own && existsSync(own) ? own : join(BUILT_IN, name), 'utf8')
}

function check(file: string, template: string, names: readonly string[]): void {
  for (const [, name = ''] of template.matchAll(PLACEHOLDER))
    if (!names.includes(name))
      throw new Error(`The mail template ${file} must not contain {{${name}}}`)
}

function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(PLACEHOLDER, (_all, name: string) => values[name] ?? '')
}

function mapValues(values: Readonly<Record<string, string>>, change: (value: string) => string) {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]))
}

/** A line break in a value could begin another header or another paragraph. */
function oneLine(value: string): string {
  return value.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeHtml(value: string): string {
  return value.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}
