import { randomUUID } from 'node:crypto'
import express from 'express'
import { Redis } from 'ioredis'
import jwt from 'jsonwebtoken'
import { announce, host, newSecretKey, port, redisUrl } from '../common/environment.js'
import { verifyPassword } from '../common/passwords.js'
import { asks, bearer, logsOut } from '../common/seed.js'
import { openUsers } from '../common/users.js'

const ISSUER = 'https://auth.example.com'
const AUDIENCE = 'https://api.example.com'
const LIFETIME_S = 15 * 60

const secret = newSecretKey()
const redis = new Redis(redisUrl, { enableAutoPipelining: true })
const users = await openUsers()

function sign(userId) {
  const claims = { subject: userId, jwtid: randomUUID(), issuer: ISSUER, audience: AUDIENCE }
  return jwt.sign({}, secret, { algorithm: 'HS256', expiresIn: LIFETIME_S, ...claims })
}

function verify(token) {
  try {
    return jwt.verify(token, secret, { algorithms: ['HS256'], issuer: ISSUER, audience: AUDIENCE })
  } catch {
    return undefined
  }
}

async function authenticate(request, response, next) {
  const [, token] = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '') ?? []
  const claims = token && verify(token)
  if (!claims) return response.status(401).json({ error: 'unauthorized' })
  if (await redis.exists(`denylist:${claims.jti}`))
    return response.status(401).json({ error: 'unauthorized' })
  const user = await users.find(claims.sub)
  if (!user) return response.status(401).json({ error: 'unauthorized' })
  request.user = user
  request.claims = claims
  next()
}

const app = express()
app.disable('x-powered-by')
// A response belongs to one user and is not cached, so an ETag would only cost time.
app.disable('etag')
app.use(express.json())

app.post('/login', async (request, response) => {
  const user = await users.findByEmail(String(request.body?.email))
  const matches = user && (await verifyPassword(user.passwordHash, String(request.body.password)))
  if (!matches) return response.status(401).json({ error: 'unauthorized' })
  response.json({ accessToken: sign(user.id) })
})

app.post('/logout', authenticate, async (request, response) => {
  const { jti, exp } = request.claims
  await redis.set(`denylist:${jti}`, '1', 'EXAT', exp)
  response.status(204).end()
})

app.get('/me', authenticate, (request, response) => {
  const { id, roles } = request.user
  response.json({ id, roles })
})

app.post('/bench/seed', async (request, response) => {
  const ids = await users.add(request.body.count)
  const credentials = ids.map((id) => bearer(sign(id)))
  response.json(
    credentials.map((headers) => ({ authenticate: asks(headers), revoke: logsOut(headers) })),
  )
})

const server = app.listen(port, host, () => announce(server))
