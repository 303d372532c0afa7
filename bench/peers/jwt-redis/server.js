import { randomUUID } from 'node:crypto'
import express from 'express'
import jwtRedis from 'jwt-redis'
import { createClient } from 'redis'
import { announce, host, newSecret, port, redisUrl } from '../common/environment.js'
import { asks, bearer, logsOut, mapInBatches } from '../common/seed.js'

const LIFETIME_S = 15 * 60

const secret = newSecret()
const client = createClient({ url: redisUrl })
await client.connect()
const jwtr = new jwtRedis.default(client)

/** Sets a token id, because the package's own ids are ten letters from `Math.random()`. */
function sign(userId) {
  const payload = { sub: userId, roles: ['user'], jti: randomUUID() }
  return jwtr.sign(payload, secret, { algorithm: 'HS256', expiresIn: LIFETIME_S })
}

async function authenticate(request, response, next) {
  const [, token] = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '') ?? []
  try {
    request.claims = await jwtr.verify(token, secret, { algorithms: ['HS256'] })
  } catch {
    return response.status(401).json({ error: 'unauthorized' })
  }
  next()
}

const app = express()
app.disable('x-powered-by')
app.disable('etag')
app.use(express.json())

app.post('/logout', authenticate, async (request, response) => {
  await jwtr.destroy(request.claims.jti)
  response.status(204).end()
})

app.get('/me', authenticate, (request, response) => {
  response.json({ id: request.claims.sub, roles: request.claims.roles })
})

app.post('/bench/seed', async (request, response) => {
  const ids = Array.from({ length: request.body.count }, () => randomUUID())
  const credentials = await mapInBatches(ids, async (id) => bearer(await sign(id)))
  response.json(
    credentials.map((headers) => ({ authenticate: asks(headers), revoke: logsOut(headers) })),
  )
})

const server = app.listen(port, host, () => announce(server))
