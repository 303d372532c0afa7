/** Pawl embedded in a Fastify application, as the README shows it. */
import { randomUUID } from 'node:crypto'
import argon2 from 'argon2'
import Fastify, { type FastifyInstance } from 'fastify'
import { users } from '../../src/db/schema.ts'
import { loadConfig, pawl } from '../../src/index.ts'
import { get, offerSeeds, post, refreshBy, type Session, serve } from './seed.ts'

const DEVICE = { ip: '127.0.0.1', userAgent: 'bench' }
const PASSWORD = 'turn one notch at a time'
/** The number of rows per statement, and the number of sessions that are started at once. */
const [ROWS, AT_ONCE] = [1_000, 32]

const config = loadConfig(process.env)
const app = Fastify()
let scope: FastifyInstance = app
app.addHook('onRegister', (inner) => {
  scope = inner
})
await app.register(pawl, { config })
// Pawl registers its services in an inner scope. The seed needs them to start thousands of sessions
// without logins.
const { database, sessions: service, accessTokens } = scope

app.get('/who', { preHandler: app.authenticate }, async ({ auth }) => ({
  id: auth?.userId,
  roles: auth?.roles,
}))

/** Responds with the heap in use, in bytes, after a garbage collection. Needs `--expose-gc`. */
app.get('/bench/heap', async () => {
  globalThis.gc?.()
  return { bytes: process.memoryUsage().heapUsed }
})

interface Person {
  id: string
  roles: string[]
  ver: number
}

async function insertPeople(count: number): Promise<Person[]> {
  const passwordHash = await argon2.hash(PASSWORD, {
    memoryCost: config.argon2MemoryKib,
    timeCost: config.argon2Time,
    parallelism: config.argon2Parallelism,
  })
  const people = Array.from({ length: count }, () => ({
    id: randomUUID(),
    roles: ['user'],
    ver: 1,
  }))
  for (let first = 0; first < count; first += ROWS)
    await database.orm
      .insert(users)
      .values(
        people
          .slice(first, first + ROWS)
          .map((person) => ({ ...person, email: emailOf(person), passwordHash })),
      )
  return people
}

/** How the users of the benchmark were authenticated. */
const constants = { authTime: Math.floor(Date.now() / 1000), amr: ['pwd'] }

const emailOf = ({ id }: Person) => `${id}@example.com`

offerSeeds(app, async ({ count, each = 1, tokens = 0 }) => {
  const people = await insertPeople(count)
  const sessions: (Session & { userId: string; sessionId: string })[] = []
  const waiting = Array.from({ length: each }, () => people)
    .flat()
    .values()
  const openAll = async () => {
    for (const person of waiting) {
      const { accessToken, refreshToken, sessionId } = await service.start(
        person,
        DEVICE,
        await service.prepare(person),
      )
      sessions.push({
        userId: person.id,
        sessionId,
        authenticate: get('/who', accessToken),
        refresh: refreshBy(refreshToken),
        login: post('/auth/login', { email: emailOf(person), password: PASSWORD }),
      })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, openAll))
  const { accessTokenTtl } = config
  const more = Array.from({ length: Math.max(0, tokens - sessions.length) }, (_, index) => {
    const { userId = '', sessionId = '' } = sessions[index % sessions.length] ?? {}
    const now = Date.now()
    const { token } = accessTokens.issue(
      { userId, sessionId, authorization: { ver: 1, roles: ['user'] }, constants },
      now,
      now + accessTokenTtl,
    )
    return { authenticate: get('/who', token) }
  })
  return [...sessions, ...more]
})

await serve(app)
