import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const text = readFileSync(join(ROOT, 'docs/asvs.md'), 'utf8')

const VERDICTS = ['pass', 'not applicable', 'not yet']
/** How many requirements of levels 1 and 2 each chapter of ASVS 5.0 has. */
const REQUIREMENTS = { V6: 35, V7: 18, V8: 7, V9: 7, V10: 29, V11: 14, V16: 16 }

const rows = text
  .split('\n')
  .map((line) => line.split(' | ').map((cell) => cell.replaceAll(/^\| | \|$/g, '')))
  .filter(([number = '']) => /^(V\d+\.\d|\d\.\d)/.test(number))
  .map(([number = '', , , verdict = '', shown = '']) => ({ number, verdict, shown }))

/** Returns the tests that a row names: a title in quotes, and a link to its file. */
const testsOf = (shown: string) =>
  [...shown.matchAll(/"([^"]+)" \(\[[^\]]+\]\(\.\.\/([^)]+)\)\)/g)].map(
    ([, title = '', file = '']) => ({ title, file }),
  )

/** Returns the titles of the tests in a file, as patterns: a template stands for many titles. */
function titlesIn(file: string): RegExp[] {
  if (!existsSync(join(ROOT, file))) return []
  const source = readFileSync(join(ROOT, file), 'utf8')
  const titles = source.matchAll(/\b\w*[tT]est\(\s*(?:'((?:[^'\\]|\\.)+)'|"([^"]+)"|`([^`]+)`)/g)
  const quote = (part: string) => part.replaceAll(/[.*+?^$(){}|[\]\\]/g, '\\$&')
  return [...titles].map(([, single, double, template]) => {
    const title = single ?? double ?? template ?? ''
    const parts = template === undefined ? [title] : title.split(/\$\{[^}]*\}/)
    return new RegExp(`^${parts.map(quote).join('.*')}$`)
  })
}

test('every requirement has one row and one of three verdicts', () => {
  const numbers = rows.map(({ number }) => number)
  assert.deepEqual(
    numbers.filter((number, index) => numbers.indexOf(number) !== index),
    [],
  )
  for (const [chapter, count] of Object.entries(REQUIREMENTS)) {
    const own = numbers.filter((number) => number.startsWith(`${chapter}.`))
    assert.equal(own.length, count, chapter)
  }
  assert.ok(numbers.filter((number) => /^\d/.test(number)).length > 30)
  for (const { number, verdict, shown } of rows) {
    assert.ok(VERDICTS.includes(verdict), `${number}: ${verdict}`)
    assert.ok(shown.length > 10, `${number} has no reason`)
    if (verdict === 'pass') assert.ok(testsOf(shown).length > 0, `${number} names no test`)
  }
})

test('every test that a row names exists in the named file', () => {
  const named = rows.flatMap(({ number, shown }) =>
    testsOf(shown).map((one) => ({ number, ...one })),
  )
  assert.ok(named.length > 100)
  const missing = named.filter(
    ({ title, file }) => !titlesIn(file).some((pattern) => pattern.test(title)),
  )
  assert.deepEqual(missing, [])
})
