import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSigner, createVerifier } from 'fast-jwt'
import { createJwtSigner } from '../../src/keys/jwt-signer.ts'
import { generateKey } from '../../src/keys/key-material.ts'

const CLAIMS = {
  iss: 'https://auth.example.com',
  sub: 'Ädam ☃ \u{1f980}',
  iat: 1_700_000_000,
  exp: 4_000_000_000,
  roles: ['user', 'a"b'],
}

for (const algorithm of ['EdDSA', 'ES256', 'RS256', 'HS256'] as const)
  test(`a ${algorithm} token is the one that a library makes and accepts`, async () => {
    const isSecret = algorithm === 'HS256'
    const purpose = isSecret ? 'refresh' : 'access'
    const { kid, ...key } = await generateKey(purpose, isSecret ? 'EdDSA' : algorithm)
    const header = { alg: algorithm, typ: 'at+jwt' }
    const sign = createSigner({ key: key.signingKey, algorithm, kid, header })
    const verify = createVerifier({
      key: key.verifyingKey,
      algorithms: [algorithm],
      checkTyp: 'at+jwt',
    })

    const token = createJwtSigner({ kid, ...key }, 'at+jwt')(CLAIMS)
    assert.deepEqual(verify(token), CLAIMS)
    const [head, body, signature = ''] = token.split('.')
    const expected = sign(CLAIMS)
    // ECDSA signatures are random.
    if (algorithm === 'ES256') assert.ok(expected.startsWith(`${head}.${body}.`))
    else assert.equal(token, expected)

    const flipped = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
    assert.throws(() => verify(`${head}.${body}.${flipped}`))
  })
