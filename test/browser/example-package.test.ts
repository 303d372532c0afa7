import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { missing, startExample } from '../support/browser/example.ts'
import { cleanUp } from '../support/clean-up.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { ROOT } from '../support/services/sources.ts'

test('the example compiles against the types of the packed package', {
  skip: missing || false,
}, () => {
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc')
  const { status, stdout } = spawnSync(
    process.execPath,
    [compiler, '-p', join(ROOT, 'examples/spa')],
    {
      encoding: 'utf8',
    },
  )
  assert.equal(status, 0, stdout)
})

test('the example runs without any configuration', { skip: missing || false }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'pawl-example-'))
  cleanUp(t, () => rm(folder, { recursive: true, force: true }))
  const { url, printed } = await startExample(t, { PORT: '0', PAWL_DATA_DIR: folder })
  await printed(`The app is at ${url}`)
  const body = JSON.stringify({ email: newEmail(), password: PASSWORD })
  const headers = { 'content-type': 'application/json' }
  const signup = await fetch(`${url}/auth/signup`, { method: 'POST', headers, body })
  const { accessToken } = (await signup.json()) as { accessToken: string }
  const list = (token: string) =>
    fetch(`${url}/api/invoices`, { headers: { authorization: `Bearer ${token}` } })
  assert.equal((await list(accessToken)).status, 200)
  assert.equal((await list('')).status, 401)
})
