import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findStale } from '../../scripts/docs/documents.ts'

test('the generated documents are up to date with the sources', async () => {
  const stale = (await findStale()).map(({ file }) => file)
  assert.deepEqual(stale, [], "run 'npm run docs' and commit the result")
})
