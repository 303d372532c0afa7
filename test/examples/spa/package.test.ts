import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cleanUp } from '../../support/clean-up.ts'
import { newEmail, PASSWORD } from '../../support/credentials.ts'
import { spa } from '../../support/examples/spa.ts'

spa.testTypes()

spa.test('the example runs without any configuration', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'pawl-example-'))
  cleanUp(t, () => rm(folder, { recursive: true, force: true }))
  const { url, printed } = await spa.start(t, { PORT: '0', PAWL_DATA_DIR: folder })
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
