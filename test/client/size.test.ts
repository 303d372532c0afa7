import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const ENTRY = fileURLToPath(new URL('../../src/client/index.ts', import.meta.url))
/** Bytes after compression. */
const MAX_SIZE = 3_000

test('the client is at most 3 kB, imports nothing, and uses nothing of Node.js', async () => {
  const { outputFiles } = await build({
    entryPoints: [ENTRY],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    write: false,
  })
  const [file] = outputFiles
  assert.ok(file)
  assert.match(file.text, /export\s*\{[^}]*createClient/)
  assert.doesNotMatch(file.text, /\bimport\b|\brequire\(|\bprocess\b/)
  assert.ok(file.contents.length > 1_000)
  for (const compress of [gzipSync, brotliCompressSync]) {
    const { length } = compress(file.contents)
    assert.ok(length < MAX_SIZE, `${compress.name}: ${length} bytes`)
  }
})
