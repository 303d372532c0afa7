/**
 * The floor of a refresh: a POST, one Redis script that does nothing, and the same two signatures.
 * It verifies, checks and writes nothing.
 */
import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto'
import fastifyJwt from '@fastify/jwt'
import Fastify, { type FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import { offerSeeds, refreshBy, serve } from './seed.ts'

const redis = new Redis(process.env.REDIS_URL ?? '')
redis.defineCommand('nothing', { numberOfKeys: 1, lua: 'return { ARGV[1], 1, 1 }' })
const { nothing } = redis as unknown as {
  nothing(key: string, ...args: (string | number)[]): Promise<unknown>
}

const { publicKey, privateKey } = generateKeyPairSync('ed25519', {
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})

const app = Fastify()
await app.register(fastifyJwt, {
  namespace: 'access',
  secret: { private: privateKey, public: publicKey },
  sign: { algorithm: 'EdDSA' },
})
await app.register(fastifyJwt, {
  namespace: 'refresh',
  secret: randomBytes(32),
  sign: { algorithm: 'HS256' },
})
const { access, refresh } = app.jwt as unknown as Record<
  'access' | 'refresh',
  FastifyInstance['jwt']
>

const [sub, sid] = [randomUUID(), randomUUID()]
const answer = () => {
  const iat = Math.floor(Date.now() / 1000)
  const common = { iss: 'https://auth.example.com', sub, sid, iat }
  const claims = { ...common, aud: 'https://auth.example.com', client_id: 'pawl', exp: iat + 900 }
  return {
    accessToken: access.sign({ ...claims, jti: randomUUID(), ver: 1, roles: ['user'] }),
    refreshToken: refresh.sign({
      ...common,
      aud: 'refresh',
      gen: 1,
      exp: iat + 86_400,
      jti: `${sid}.1`,
    }),
    tokenType: 'Bearer',
    expiresIn: 900,
    refreshExpiresIn: 86_400,
    sessionId: sid,
  }
}

app.post('/auth/refresh', async () => {
  await nothing.call(redis, `floor:{${sub}}`, sid, 1)
  return answer()
})
offerSeeds(app, async ({ count }) =>
  Array.from({ length: count }, () => ({ refresh: refreshBy(answer().refreshToken) })),
)
await serve(app)
