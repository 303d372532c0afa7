import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

const pages = ['playground', 'examples'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(html|js|tsx?)$/.test(name) && !/node_modules|dist/.test(name))
    .map((name) => ({ name, text: readFileSync(join(ROOT, folder, name), 'utf8') })),
)

test('password inputs are masked, and open to password managers and to pasting', () => {
  const inputs = pages.flatMap(({ name, text }) =>
    [...text.matchAll(/<input\b(?:=>|[^>])*>/g)].map(([tag]) => ({ name, tag })),
  )
  const passwords = inputs.filter(({ tag }) => /password/i.test(tag))
  assert.ok(passwords.length >= 3, String(passwords.length))
  for (const { name, tag } of passwords) {
    assert.match(tag, /type="password"/, name)
    assert.match(tag, /autocomplete="(current|new)-password"/i, name)
  }
  for (const { name, text } of pages) assert.doesNotMatch(text, /onpaste|['"]paste['"]/i, name)
})
