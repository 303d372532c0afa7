import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { build } from 'esbuild'

/** The entries with their sizes in bytes after compression. */
const ENTRIES = [
  { name: 'index.ts', exported: 'createClient', maxSize: 3_000 },
  { name: 'account/index.ts', exported: 'createAccount', maxSize: 1_300 },
]

for (const { name, exported, maxSize } of ENTRIES)
  test(`${name} is at most ${maxSize} bytes, imports nothing, and uses nothing of Node.js`, async () => {
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL(`../../src/client/${name}`, import.meta.url))],
      bundle: true,
      minify: true,
      format: 'esm',
      target: 'es2022',
      platform: 'browser',
      write: false,
    })
    const [file] = outputFiles
    assert.ok(file)
    assert.match(file.text, new RegExp(`export\\s*\\{[^}]*${exported}`))
    assert.doesNotMatch(file.text, /\bimport\b|\brequire\(|\bprocess\b/)
    assert.ok(file.contents.length > 1_000)
    for (const compress of [gzipSync, brotliCompressSync]) {
      const { length } = compress(file.contents)
      assert.ok(length < maxSize, `${compress.name}: ${length} bytes`)
    }
  })
