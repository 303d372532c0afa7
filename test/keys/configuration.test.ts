import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { generateSecrets, loadSecrets } from '../../src/config/secrets.ts'
import { importKey } from '../../src/keys/key-material.ts'
import { me, refresh, signUp } from '../support/app-requests.ts'
import { environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { kidOf } from '../support/keys/key-records.ts'
import { temporaryFolder } from '../support/temporary-files.ts'
import { until } from '../support/until.ts'

const published = async (app: FastifyInstance): Promise<{ kid: string; alg: string }[]> =>
  (await app.inject('/.well-known/jwks.json')).json().keys

test('keys are rotated automatically by age, and their tokens stay valid', async (t) => {
  const app = await build(t, { KEY_ROTATION_AGE: '1s', KEY_PUBLICATION_DELAY: '0s' })
  const pair = await signUp(app)
  const [first] = await published(app)
  await until(async () => (await published(app))[0]?.kid !== first?.kid)
  assert.equal((await me(app, pair.accessToken)).statusCode, 200)
  await until(async () => {
    const { accessToken } = (await refresh(app, pair.refreshToken)).json()
    return kidOf(accessToken) !== first?.kid
  })
})

test('a node with other configured keys uses the keys of the database', async (t) => {
  const env = await environment(t)
  const one = await build(t, env)
  const pair = await signUp(one)
  const { accessTokenPrivateKey, refreshTokenSecret } = generateSecrets('EdDSA')
  const other = await build(t, {
    ...env,
    ACCESS_TOKEN_PRIVATE_KEY: accessTokenPrivateKey,
    REFRESH_TOKEN_SECRET: refreshTokenSecret,
  })
  assert.deepEqual(await published(other), await published(one))
  assert.equal((await me(other, pair.accessToken)).statusCode, 200)
  const next = (await refresh(other, pair.refreshToken)).json()
  assert.equal((await me(one, next.accessToken)).statusCode, 200)
})

test('a node with another algorithm and a key for it rotates to that key', async (t) => {
  const env = await environment(t, { KEY_PUBLICATION_DELAY: '0s' })
  const one = await build(t, env)
  const pair = await signUp(one)
  const key = generateSecrets('ES256').accessTokenPrivateKey
  const other = await build(t, { ...env, ACCESS_TOKEN_ALG: 'ES256', ACCESS_TOKEN_PRIVATE_KEY: key })
  for (const app of [one, other])
    await until(
      async () => (await published(app))[0]?.kid === importKey('access', 'ES256', key).kid,
    )
  assert.equal((await me(other, pair.accessToken)).statusCode, 200)
  const next = (await refresh(one, pair.refreshToken)).json()
  assert.equal(kidOf(next.accessToken), importKey('access', 'ES256', key).kid)
  for (const app of [one, other]) assert.equal((await me(app, next.accessToken)).statusCode, 200)
})

test('an older data folder gets a key encryption secret and keeps its other secrets', async (t) => {
  const dataDir = await temporaryFolder(t)
  const { accessTokenPrivateKey, refreshTokenSecret } = generateSecrets('EdDSA')
  const path = join(dataDir, 'secrets.json')
  await writeFile(
    path,
    JSON.stringify({ refreshTokenSecret, accessTokenKeys: { EdDSA: accessTokenPrivateKey } }),
  )
  const first = await loadSecrets({ dataDir, accessTokenAlg: 'EdDSA' })
  assert.deepEqual(
    [first.accessTokenPrivateKey, first.refreshTokenSecret],
    [accessTokenPrivateKey, refreshTokenSecret],
  )
  assert.ok(first.keyEncryptionSecret.length >= 32)
  const content = await readFile(path, 'utf8')
  assert.deepEqual(await loadSecrets({ dataDir, accessTokenAlg: 'EdDSA' }), first)
  assert.equal(await readFile(path, 'utf8'), content)
  const second = await loadSecrets({ dataDir, accessTokenAlg: 'ES256' })
  assert.equal(second.keyEncryptionSecret, first.keyEncryptionSecret)
  assert.deepEqual(await loadSecrets({ dataDir, accessTokenAlg: 'EdDSA' }), first)
})
