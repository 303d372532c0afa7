import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ERRORS } from '../../src/errors.ts'

test('docs/errors.md lists every error code with its status, and no others', () => {
  const text = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
  const documented = [...text.matchAll(/^\| `([A-Z_]+)` \| (\d{3}) \|/gm)].map(
    ([, code, status]) => `${code} ${status}`,
  )
  const thrown = Object.entries(ERRORS).map(([code, { status }]) => `${code} ${status}`)
  assert.deepEqual(documented.sort(), thrown.sort())
})
