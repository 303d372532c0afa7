import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ERRORS } from '../../src/errors.ts'

test('every error code is documented with its status, and nothing else is', () => {
  const text = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
  const documented = [...text.matchAll(/^\| `([A-Z_]+)` \| (\d{3}) \|/gm)].map(
    ([, code, status]) => `${code} ${status}`,
  )
  const thrown = Object.entries(ERRORS).map(([code, { status }]) => `${code} ${status}`)
  assert.deepEqual(documented.sort(), thrown.sort())
})
