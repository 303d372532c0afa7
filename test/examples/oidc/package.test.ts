import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cleanUp } from '../../support/clean-up.ts'
import { call, oidc, signIn } from '../../support/examples/oidc.ts'
import { createVisitor } from '../../support/examples/visitor.ts'

oidc.testTypes()

oidc.test('the example runs without any configuration, with a provider of its own', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'pawl-example-'))
  cleanUp(t, () => rm(folder, { recursive: true, force: true }))
  const origin = 'http://127.0.0.1:3000'
  const { url, printed } = await oidc.start(t, {
    PORT: '0',
    ISSUER: origin,
    PAWL_DATA_DIR: folder,
  })
  await printed(`The app is at ${url}`)
  const visitor = createVisitor({ [origin]: url })
  assert.equal((await signIn(visitor, 'ada', { origin })).search, '?sign-in=done')
  const me = await call(visitor, 'GET', '/api/me', origin)
  assert.equal(me.status, 200)
  assert.equal(((await me.json()) as { userId: string }).userId, 'demo|ada')

  for (const path of ['/', '/page.js', '/pawl-client/index.js'])
    assert.equal((await fetch(url + path)).status, 200, path)
})
