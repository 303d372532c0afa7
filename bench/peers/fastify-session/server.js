import { randomUUID } from 'node:crypto'
import fastifyCookie, { Signer } from '@fastify/cookie'
import fastifySession from '@fastify/session'
import { RedisStore } from 'connect-redis'
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import { announce, host, newSecret, port, redisUrl } from '../common/environment.js'
import { asks, logsOut, mapInBatches } from '../common/seed.js'

const WEEK_MS = 7 * 24 * 60 * 60 * 1000
const COOKIE = 'sessionId'

const signer = new Signer(newSecret())
const store = new RedisStore({ client: new Redis(redisUrl, { enableAutoPipelining: true }) })

const app = Fastify({ trustProxy: true })
await app.register(fastifyCookie)
await app.register(fastifySession, {
  secret: signer,
  cookieName: COOKIE,
  store,
  cookie: { secure: true, httpOnly: true, sameSite: 'lax', maxAge: WEEK_MS },
  saveUninitialized: false,
  // With the default, true, each request writes the session back.
  rolling: false,
})

/** A proxy reports TLS with this header. Without it, the plugin sets no secure cookie. */
const headers = { 'x-forwarded-proto': 'https' }

app.get('/me', {
  schema: {
    response: {
      200: {
        type: 'object',
        properties: { id: { type: 'string' }, roles: { type: 'array', items: { type: 'string' } } },
      },
    },
  },
  handler: async (request, reply) => {
    const { user } = request.session
    if (!user) return reply.code(401).send({ error: 'unauthorized' })
    return user
  },
})

app.post('/logout', async (request, reply) => {
  await request.session.destroy()
  return reply.code(204).send()
})

/** The seed logs in here once per session, so that the plugin creates session and cookie. */
app.post('/bench/login', async (request) => {
  await request.session.regenerate()
  request.session.user = { id: randomUUID(), roles: ['user'] }
  return {}
})

app.post('/bench/seed', async (request) =>
  mapInBatches(Array.from({ length: request.body.count }), async () => {
    const answer = await app.inject({ method: 'POST', url: '/bench/login', headers })
    const cookie = answer.cookies.find(({ name }) => name === COOKIE)
    const credential = { ...headers, cookie: `${COOKIE}=${encodeURIComponent(cookie.value)}` }
    return { authenticate: asks(credential), revoke: logsOut(credential) }
  }),
)

await app.listen({ host, port })
announce(app.server)
