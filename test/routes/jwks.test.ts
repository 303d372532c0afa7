import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { test } from 'node:test'
import { generateSecrets } from '../../src/config/secrets.ts'
import { eachPurpose } from '../../src/keys/key-records.ts'
import { retire, standbyOf } from '../../src/keys/lifecycle.ts'
import { refresh, signUp } from '../support/app-requests.ts'
import { environment } from '../support/environment.ts'
import { makeJwt, readJwt, signerOf } from '../support/forgeries.ts'
import { build } from '../support/in-process-server.ts'
import { openRecords } from '../support/keys/key-records.ts'
import { until } from '../support/until.ts'

const DIGESTS = { EdDSA: undefined, ES256: 'sha256', RS256: 'sha256' } as const

const decode = (segment = '') => JSON.parse(Buffer.from(segment, 'base64url').toString())

for (const algorithm of ['EdDSA', 'ES256', 'RS256'] as const) {
  test(`the published keys verify an ${algorithm} token, which follows RFC 9068`, async (t) => {
    const app = await build(t, {
      ACCESS_TOKEN_ALG: algorithm,
      ACCESS_TOKEN_PRIVATE_KEY: generateSecrets(algorithm).accessTokenPrivateKey,
      AUDIENCE: 'https://api.example.com',
    })
    const pair = await signUp(app)
    const response = await app.inject('/.well-known/jwks.json')
    assert.equal(response.statusCode, 200)
    const { keys } = response.json()

    const [head, body, signature = ''] = pair.accessToken.split('.')
    const header = decode(head)
    assert.equal(header.typ, 'at+jwt')
    assert.equal(header.alg, algorithm)
    const jwk = keys.find(({ kid }: { kid: string }) => kid === header.kid)
    assert.deepEqual(
      Object.keys(jwk).filter((name) => ['d', 'p', 'q', 'dp', 'dq', 'qi'].includes(name)),
      [],
    )
    const key = {
      key: createPublicKey({ key: jwk, format: 'jwk' }),
      dsaEncoding: 'ieee-p1363' as const,
    }
    const signed = Buffer.from(`${head}.${body}`)
    assert.ok(verify(DIGESTS[algorithm], signed, key, Buffer.from(signature, 'base64url')))

    const claims = decode(body)
    const names = ['iss', 'aud', 'sub', 'client_id', 'iat', 'exp', 'jti', 'sid', 'ver', 'roles']
    assert.deepEqual(Object.keys(claims).sort(), [...names, 'amr', 'auth_time'].sort())
    assert.equal(claims.iss, 'https://auth.example.com')
    assert.equal(claims.aud, 'https://api.example.com')
    assert.equal(claims.sid, pair.sessionId)
    assert.equal(claims.exp - claims.iat, pair.expiresIn)
  })
}

test('an API cannot mistake a refresh token for an access token', async (t) => {
  const app = await build(t)
  const { refreshToken, sessionId } = await signUp(app)
  const [head, body] = refreshToken.split('.')
  const { kid, ...header } = decode(head)
  assert.deepEqual(header, { alg: 'HS256', typ: 'rt+jwt' })
  const { keys } = (await app.inject('/.well-known/jwks.json')).json()
  assert.ok(kid && !keys.some((key: { kid: string }) => key.kid === kid))
  const { iss, aud, sid, gen, jti, ...rest } = decode(body)
  assert.notEqual(aud, iss)
  assert.deepEqual([sid, gen, jti], [sessionId, 1, `${sessionId}.1`])
  assert.deepEqual(Object.keys(rest).sort(), ['amr', 'auth_time', 'exp', 'iat', 'sub'])
})

test('the key that signs is published first, followed by the key that signs next', async (t) => {
  const app = await build(t)
  const { accessToken } = await signUp(app)
  const { keys } = (await app.inject('/.well-known/jwks.json')).json()
  assert.equal(keys.length, 2)
  assert.equal(keys[0].kid, decode(accessToken.split('.')[0]).kid)
  for (const key of keys)
    assert.deepEqual(Object.keys(key).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x'])
})

test('the key set may be cached for half of KEY_PUBLICATION_DELAY, and has an ETag', async (t) => {
  const env = await environment(t, { KEY_PUBLICATION_DELAY: '4m' })
  const app = await build(t, env)
  const fetchKeys = (tag?: string, method: 'GET' | 'HEAD' = 'GET') =>
    app.inject({
      method,
      url: '/.well-known/jwks.json',
      headers: tag ? { 'if-none-match': tag } : {},
    })
  const { headers } = await fetchKeys()
  const etag = String(headers.etag)
  assert.equal(headers['cache-control'], 'public, max-age=120')
  assert.match(etag, /^"[\w-]{22}"$/)
  for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const same = await fetchKeys(tag)
    assert.deepEqual([same.statusCode, same.body, same.headers.etag], [304, '', etag], tag)
    assert.equal(same.headers['cache-control'], 'public, max-age=120')
  }
  for (const tag of ['"other"', etag.slice(1, -1), ''])
    assert.equal((await fetchKeys(tag)).statusCode, 200, tag)
  assert.equal((await fetchKeys(etag, 'HEAD')).statusCode, 304)

  const records = await openRecords(t, env)
  await records.change((keys, now) =>
    eachPurpose(keys, (own) => retire(own, standbyOf(own, now)?.kid ?? '', now)),
  )
  await until(async () => (await fetchKeys(etag)).statusCode === 200)
})

test('a refresh token of an older version, which names no key, is accepted', async (t) => {
  const env = await environment(t)
  const app = await build(t, env)
  const { refreshToken } = await signUp(app)
  const [{ kid: _, ...header }, claims] = readJwt(refreshToken)
  const old = makeJwt(header, claims, signerOf(env, 'refresh'))
  assert.notEqual(old, refreshToken)
  assert.equal((await refresh(app, old)).statusCode, 200)
})
