import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cleanUp } from '../support/clean-up.ts'
import { environment } from '../support/environment.ts'
import { retryUnavailable } from '../support/retry-unavailable.ts'
import { startServer } from '../support/server-process.ts'
import { signUpAt } from '../support/server-requests.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

const APPLICATION = `
import Fastify from 'fastify'
import { loadConfig, pawl } from 'pawl'
import { createClient } from 'pawl/client'
createClient({ baseUrl: 'https://auth.example.com' }).close()
const app = Fastify({ logger: true })
await app.register(pawl, { config: loadConfig(process.env) })
app.get('/guarded', { preHandler: app.authenticate }, async (request) => request.auth)
await app.listen({ port: 0 })
`

test('the packed package runs with plain node as a server, a plugin and a command', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'pawl-package-'))
  cleanUp(t, () => rm(folder, { recursive: true, force: true }))
  await run('npm', ['pack', '--pack-destination', folder], { cwd: ROOT })
  const [tarball = ''] = await readdir(folder)
  await run('tar', ['-xzf', tarball], { cwd: folder })
  const modules = join(folder, 'node_modules')
  // The dependencies are those of the checkout. Only the package itself is the packed one.
  await run('cp', ['-rs', join(ROOT, 'node_modules'), modules])
  await rm(join(modules, 'pawl'), { recursive: true, force: true })
  await rename(join(folder, 'package'), join(modules, 'pawl'))
  await symlink(modules, join(modules, 'pawl', 'node_modules'))
  const installed = join(modules, 'pawl', 'dist', 'src')
  const env = await environment(t)

  const server = await startServer(t, { ...env, PLAYGROUND: 'true' }, [
    join(installed, 'server.js'),
  ])
  await writeFile(join(folder, 'application.js'), APPLICATION)
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  const application = await startServer(t, env, [
    '--preserve-symlinks',
    join(folder, 'application.js'),
  ])

  const { accessToken, sessionId } = await signUpAt(server.url)
  const headers = { authorization: `Bearer ${accessToken}` }
  const guarded = await retryUnavailable(() => fetch(`${application.url}/guarded`, { headers }))
  assert.equal(guarded.status, 200)
  assert.equal(((await guarded.json()) as { sessionId: string }).sessionId, sessionId)

  for (const path of ['/', '/playground/app.js', '/playground/base.css'])
    assert.equal((await fetch(server.url + path)).status, 200, path)
  assert.equal((await fetch(`${application.url}/`)).status, 404)

  const { stdout } = await run(process.execPath, [join(installed, 'cli.js'), 'migrate'], {
    env: { ...process.env, ...env },
  })
  assert.ok(stdout)
})
