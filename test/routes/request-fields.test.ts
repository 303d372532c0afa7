import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readOpenapi } from '../../scripts/docs/openapi.ts'

/** Returns the names of all properties in a schema, however deep. */
function propertiesOf(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return []
  return Object.entries(schema).flatMap(([key, value]) =>
    key === 'properties' ? [...Object.keys(value), ...propertiesOf(value)] : propertiesOf(value),
  )
}

test('no request and no response has a password hint or a secret question', async () => {
  const { paths, components } = await readOpenapi()
  const names = [...new Set([paths, components].flatMap(propertiesOf))]
  assert.ok(names.includes('currentPassword') && names.includes('roles'))
  // The hint of RFC 7009 is about the kind of a token.
  assert.deepEqual(
    names.filter((name) => /hint|question|answer/i.test(name)),
    ['token_type_hint'],
  )
})
