import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { test } from 'node:test'
import { generateSecrets } from '../../src/secrets.ts'
import { build, signUp } from '../helper.ts'

const DIGESTS = { EdDSA: undefined, ES256: 'sha256', RS256: 'sha256' } as const

const decode = (segment = '') => JSON.parse(Buffer.from(segment, 'base64url').toString())

for (const algorithm of ['EdDSA', 'ES256', 'RS256'] as const) {
  test(`an ${algorithm} access token is verified with nothing but the published keys, and is as RFC 9068 says`, async (t) => {
    const app = await build(t, {
      ACCESS_TOKEN_ALG: algorithm,
      ACCESS_TOKEN_PRIVATE_KEY: generateSecrets(algorithm).accessTokenKey,
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
    const key = { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' as const }
    const signed = Buffer.from(`${head}.${body}`)
    assert.ok(verify(DIGESTS[algorithm], signed, key, Buffer.from(signature, 'base64url')))

    const claims = decode(body)
    const names = ['iss', 'aud', 'sub', 'client_id', 'iat', 'exp', 'jti', 'sid', 'ver', 'roles']
    assert.deepEqual(Object.keys(claims).sort(), names.sort())
    assert.equal(claims.iss, 'https://auth.example.com')
    assert.equal(claims.aud, 'https://api.example.com')
    assert.equal(claims.sid, pair.sessionId)
    assert.equal(claims.exp - claims.iat, pair.expiresIn)
  })
}

test('a refresh token says nothing that an API could take for access', async (t) => {
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
  assert.deepEqual(Object.keys(rest).sort(), ['exp', 'iat', 'sub'])
})
