import assert from 'node:assert/strict'
import { sign } from 'node:crypto'
import { test } from 'node:test'
import { createJwtSigner } from '../../src/keys/jwt-signer.ts'
import { createJwtVerifier } from '../../src/keys/jwt-verifier.ts'
import { generateKey } from '../../src/keys/key-material.ts'
import { hmac, makeJwt } from '../support/forgeries.ts'

const EXPECTED = {
  typ: 'at+jwt',
  issuer: 'https://auth.example.com',
  audience: 'https://api.example.com',
  requiredClaims: ['iss', 'aud', 'sub', 'exp'],
}

const CLAIMS = { iss: EXPECTED.issuer, aud: EXPECTED.audience, sub: 'ada', exp: 1_700_000_000 }

for (const algorithm of ['EdDSA', 'ES256', 'RS256'] as const)
  test(`a verifier for ${algorithm} accepts what its key signed, expired or not`, async () => {
    const key = await generateKey('access', algorithm)
    const verify = createJwtVerifier(key, EXPECTED)
    const token = createJwtSigner(key, EXPECTED.typ)(CLAIMS)
    assert.deepEqual(verify(token), CLAIMS)
    const later = { ...CLAIMS, exp: 4_000_000_000 }
    assert.deepEqual(verify(createJwtSigner(key, EXPECTED.typ)(later)), later)
    const other = await generateKey('access', algorithm)
    assert.throws(() => verify(createJwtSigner(other, EXPECTED.typ)(CLAIMS)))
  })

test('every pinned property of a token must be right', async () => {
  const key = await generateKey('access', 'EdDSA')
  const verify = createJwtVerifier(key, EXPECTED)
  const signature = (input: string) => sign(null, Buffer.from(input), key.signingKey)
  const header = { alg: 'EdDSA', typ: EXPECTED.typ }
  const make = (
    changes: object,
    claims: object = {},
    signer: (input: string) => Buffer = signature,
  ) => makeJwt({ ...header, ...changes }, { ...CLAIMS, ...claims }, signer)
  assert.deepEqual(verify(make({})), CLAIMS)
  const wrong = {
    'another typ': make({ typ: 'rt+jwt' }),
    'no typ': make({ typ: undefined }),
    'alg none': make({ alg: 'none' }, {}, () => Buffer.alloc(0)),
    'the public key as an HMAC secret': make({ alg: 'HS256' }, {}, hmac(key.verifyingKey)),
    'a critical header': make({ crit: ['b64'], b64: false }),
    'another issuer': make({}, { iss: 'https://evil.example.com' }),
    'another audience': make({}, { aud: 'https://evil.example.com' }),
    'a start in the future': make({}, { nbf: 4_000_000_000 }),
    'no subject': make({}, { sub: undefined }),
    'no expiry': make({}, { exp: undefined }),
  }
  for (const [name, token] of Object.entries(wrong)) assert.throws(() => verify(token), name)
})
