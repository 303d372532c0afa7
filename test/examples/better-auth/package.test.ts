import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cleanUp } from '../../support/clean-up.ts'
import { betterAuth, createUser, ORIGIN } from '../../support/examples/better-auth.ts'

betterAuth.testTypes()

betterAuth.test('the example runs without any configuration', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'pawl-example-'))
  cleanUp(t, () => rm(folder, { recursive: true, force: true }))
  const env = { PORT: '0', ISSUER: ORIGIN, PAWL_DATA_DIR: folder }
  const { url, printed } = await betterAuth.start(t, env)
  await printed(`The app is at ${url}`)
  const user = createUser(url)
  assert.equal((await user.signUp()).status, 200)
  assert.equal((await user.exchange()).status, 200)

  for (const path of ['/', '/page.js', '/pawl-client/index.js'])
    assert.equal((await fetch(url + path)).status, 200, path)
})
