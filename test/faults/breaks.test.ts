import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { ROOT } from '../support/services/sources.ts'
import { BREAKS } from './breaks.ts'

test('every break still applies: the text that it replaces occurs once in the sources', async () => {
  for (const { name, changes } of BREAKS)
    for (const { file, text } of changes) {
      const parts = (await readFile(join(ROOT, file), 'utf8')).split(text)
      assert.equal(parts.length - 1, 1, `${name}: ${file} has not once: ${text}`)
    }
})
