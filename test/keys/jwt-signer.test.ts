import assert from 'node:assert/strict'
import { test } from 'node:test'
import fastifyJwt from '@fastify/jwt'
import Fastify from 'fastify'
import { createJwtSigner } from '../../src/keys/jwt-signer.ts'
import { makeKey } from '../../src/keys/key-material.ts'

const CLAIMS = {
  iss: 'https://auth.example.com',
  sub: 'Ädam ☃ \u{1f980}',
  iat: 1_700_000_000,
  exp: 4_000_000_000,
  roles: ['user', 'a"b'],
}

for (const algorithm of ['EdDSA', 'ES256', 'RS256', 'HS256'] as const)
  test(`${algorithm}: what it signs a library takes, and signs alike where that can be`, async (t) => {
    const isSecret = algorithm === 'HS256'
    const material = await makeKey(isSecret ? 'refresh' : 'access', isSecret ? 'EdDSA' : algorithm)
    const { kid, signingKey, verifyingKey } = material
    const app = Fastify()
    t.after(() => app.close())
    await app.register(fastifyJwt, {
      secret: isSecret ? signingKey : { private: signingKey, public: verifyingKey },
      sign: { algorithm, kid, header: { alg: algorithm, typ: 'at+jwt' } },
      verify: { algorithms: [algorithm], checkTyp: 'at+jwt' },
    })
    await app.ready()

    const token = createJwtSigner(material, 'at+jwt')(CLAIMS)
    assert.deepEqual(app.jwt.verify(token), CLAIMS)
    const [header, payload, signature = ''] = token.split('.')
    const library = app.jwt.sign(CLAIMS)
    // Every signature of ECDSA is another one.
    if (algorithm === 'ES256') assert.ok(library.startsWith(`${header}.${payload}.`))
    else assert.equal(token, library)

    const flipped = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
    assert.throws(() => app.jwt.verify(`${header}.${payload}.${flipped}`))
  })
