/** What the sources may do with cryptography: SECURITY.md has the list of its purposes. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createToken } from '../src/codes/code.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Waiting times, and a fallback of the browser client for pages without `crypto`. */
const MAY_USE_WEAK_NUMBERS = [
  'src/client/http.ts',
  'src/client/stored-session.ts',
  'src/common/backoff.ts',
]
/** Imported hashes are verified by the algorithms of other systems, until the first login. */
const IMPORTED_HASHES = 'src/users/password-hashes/'

const sources = ['src', 'plugins', 'routes'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => {
      const file = join(folder, name).replaceAll('\\', '/')
      return { file, text: readFileSync(join(ROOT, file), 'utf8') }
    }),
)

/** Returns the file and the first argument of each call of a function. */
function callsOf(names: string) {
  return sources.flatMap(({ file, text }) =>
    [...text.matchAll(new RegExp(`\\b(?:${names})\\(\\s*([^,)\\s]+)`, 'g'))].map(
      ([, argument = '']) => ({ file, argument }),
    ),
  )
}

test('secrets come from the generator of node:crypto', () => {
  const weak = sources.filter(({ text }) => /Math\.random/.test(text)).map(({ file }) => file)
  assert.deepEqual(weak.sort(), MAY_USE_WEAK_NUMBERS)
  const strong = sources.filter(({ text }) => /\brandomBytes\(/.test(text))
  assert.ok(strong.length > 5)
  for (const { file, text } of strong)
    assert.match(text, /import \{[^}]*\brandomBytes\b[^}]*\} from 'node:crypto'/, file)
})

test('the token of a mail has 256 random bits', () => {
  const tokens = Array.from({ length: 1_000 }, createToken)
  assert.equal(new Set(tokens).size, tokens.length)
  for (const token of tokens) assert.equal(Buffer.from(token, 'base64url').length, 32)
})

test('the only hash function is SHA-256, except for imported password hashes', () => {
  const calls = callsOf('createHash|createHmac|hkdfSync').filter(
    ({ file }) => !file.startsWith(IMPORTED_HASHES),
  )
  assert.ok(calls.length > 10)
  for (const { file, argument } of calls) assert.equal(argument, "'sha256'", file)
})

test('the only cipher is AES-256-GCM, except for imported password hashes', () => {
  const calls = callsOf('createCipheriv|createDecipheriv').filter(
    ({ file }) => !file.startsWith(IMPORTED_HASHES),
  )
  assert.deepEqual(
    [...new Set(calls.map(({ file, argument }) => `${file}: ${argument}`))],
    ['src/keys/envelope.ts: ALGORITHM'],
  )
  const envelope = sources.find(({ file }) => file === 'src/keys/envelope.ts')?.text ?? ''
  assert.match(envelope, /const ALGORITHM = 'aes-256-gcm'/)
})
