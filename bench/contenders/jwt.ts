/**
 * Tokens that cannot be revoked: @fastify/jwt alone. Its cache is on unless `CACHE=off` is set.
 */
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import fastifyJwt from '@fastify/jwt'
import Fastify from 'fastify'
import { get, offerSeeds, serve } from './seed.ts'

const { publicKey, privateKey } = generateKeyPairSync('ed25519', {
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const [issuer, audience] = ['https://auth.example.com', 'https://api.example.com']

const app = Fastify()
await app.register(fastifyJwt, {
  secret: { private: privateKey, public: publicKey },
  sign: { algorithm: 'EdDSA', iss: issuer, aud: audience, expiresIn: '15m' },
  verify: {
    algorithms: ['EdDSA'],
    allowedIss: issuer,
    allowedAud: audience,
    // Large enough for all tokens of a round: a smaller cache evicts them before reuse.
    cache: process.env.CACHE === 'off' ? false : 20_000,
  },
})
app.get(
  '/who',
  {
    preHandler: async (request) => {
      await request.jwtVerify()
    },
  },
  async ({ user }) => {
    const { sub: id, roles } = user as { sub: string; roles: string[] }
    return { id, roles }
  },
)
offerSeeds(app, async ({ count, tokens = count }) =>
  Array.from({ length: tokens }, () => {
    const claims = {
      sub: randomUUID(),
      sid: randomUUID(),
      jti: randomUUID(),
      ver: 1,
      roles: ['user'],
    }
    return { authenticate: get('/who', app.jwt.sign({ ...claims, client_id: 'pawl' })) }
  }),
)
await serve(app)
