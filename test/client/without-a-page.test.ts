import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { createClient } from '../../src/client/index.ts'
import { signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { startWorld } from '../support/client/client-world.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'

const ENTRY = fileURLToPath(new URL('../../src/client/index.ts', import.meta.url))

/** Uses the client as a module of a server does, and ends without any help. */
const MODULE = `
import { createClient } from './client.js'
const auth = createClient({ baseUrl: '/' })
const changes = []
auth.onChange((change) => changes.push(change))
const token = await auth.token()
await auth.logout()
console.log(JSON.stringify({ token: token ?? null, id: auth.sessionId ?? null, changes }))
`

for (const [what, prelude] of Object.entries({
  'a server': '',
  'a server with an unusable localStorage': `
    Object.defineProperty(globalThis, 'localStorage', { get: () => ({}), configurable: true })`,
  'a worker': `
    globalThis.self = globalThis
    globalThis.location = { href: 'https://app.example.com/worker.js', origin: 'https://app.example.com' }
    globalThis.addEventListener = () => {}`,
})) {
  test(`in ${what}, a client is signed out and lets the process end`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'pawl-client-'))
    cleanUp(t, () => rm(folder, { recursive: true, force: true }))
    await build({
      entryPoints: [ENTRY],
      bundle: true,
      format: 'esm',
      outfile: join(folder, 'client.js'),
    })
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
    await writeFile(join(folder, 'prelude.js'), prelude)
    await writeFile(join(folder, 'module.js'), `import './prelude.js'${MODULE}`)
    // The limit is for a client that keeps the process alive for ever.
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'module.js')], {
      timeout: 60_000,
    })
    assert.deepEqual(JSON.parse(stdout), { token: null, id: null, changes: [] })
  })
}

test('on a server, each client is signed in by itself', async (t) => {
  const { url, app, credentials } = await startWorld(t)
  const second = { email: newEmail(), password: PASSWORD }
  await signUp(app, second.email)
  const clients = Array.from({ length: 3 }, () => createClient({ baseUrl: url }))
  const [one, other, nobody] = clients
  assert.ok(one && other && nobody)
  await Promise.all([one.login(credentials), other.login(second)])
  const tokens = await Promise.all(clients.map((client) => client.token()))
  assert.equal(tokens[2], undefined)
  const users = await Promise.all(
    [one, other].map(async (client) => {
      const response = await client.fetch(`${url}/auth/me`)
      return ((await response.json()) as { sessionId: string }).sessionId
    }),
  )
  assert.deepEqual(users, [one.sessionId, other.sessionId])
  assert.notEqual(users[0], users[1])
  assert.equal((await nobody.fetch(`${url}/auth/me`)).status, 401)
  assert.match((await one.refresh()) ?? '', /^eyJ/)
  await one.logout()
  assert.equal(await one.token(), undefined)
  assert.match((await other.token()) ?? '', /^eyJ/)
})
