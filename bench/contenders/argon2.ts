/**
 * The floor of a login: only the password hash, with the same concurrency as Pawl. `GET /?ms=`
 * hashes for that many milliseconds and responds with the number of hashes per second.
 */
import { availableParallelism } from 'node:os'
import argon2 from 'argon2'
import Fastify from 'fastify'
import { serve } from './seed.ts'

const COSTS = { type: argon2.argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 }
const hash = await argon2.hash('turn one notch at a time', COSTS)

async function verifyUntil(end: number): Promise<number> {
  let count = 0
  while (performance.now() < end) {
    await argon2.verify(hash, 'turn one notch at a time')
    count++
  }
  return count
}

const app = Fastify()
app.get('/', async (request) => {
  const { ms } = request.query as { ms: string }
  const begun = performance.now()
  const loops = Array.from({ length: availableParallelism() }, () =>
    verifyUntil(begun + Number(ms)),
  )
  const counts = await Promise.all(loops)
  return {
    perSecond: counts.reduce((sum, count) => sum + count, 0) / ((performance.now() - begun) / 1000),
  }
})
await serve(app)
