import { Redis } from 'ioredis'
import type { Comparison, Figure, Settings } from '../comparison.ts'
import type { Contender } from '../contender.ts'
import type { Session } from '../contenders/seed.ts'
import { startPawl, withStores } from '../launch.ts'

const SESSIONS = 10_000
/** The number of sessions that are refreshed, and the number of refreshes of each. */
const [REFRESHED, REFRESHES] = [100, 1_000]
const SHAPES = [1, 3, 10]

/**
 * Measures the bytes that a session takes in Redis, by the number of sessions per user, and checks
 * whether refreshes change them.
 */
export async function memory({ quick }: Settings): Promise<Comparison> {
  return withStores(async (stores) => {
    const pawl = await startPawl(stores)
    const redis = new Redis(stores.redis.url)
    const sessions = await pawl.seed({ count: quick ? 10 : REFRESHED })
    const before = await bytesOfUsers(redis)
    await refreshAll(pawl.url, sessions, quick ? 10 : REFRESHES)
    const after = await bytesOfUsers(redis)
    const figures: Figure[] = []
    for (const each of SHAPES)
      figures.push(await measureShape(pawl, redis, each, quick ? 300 : SESSIONS))
    redis.disconnect()
    const one = 'of a user with one, by MEMORY USAGE'
    const refreshed = `the same after ${REFRESHES.toLocaleString('en')} refreshes`
    figures.push({ name: one, values: [before] }, { name: refreshed, values: [after] })
    return {
      title: 'Redis memory of a session',
      unit: 'bytes',
      figures,
      targets: [
        { figure: nameOf(1), is: 'at most', value: 220 },
        { figure: nameOf(3), is: 'at most', value: 110 },
        { figure: nameOf(10), is: 'at most', value: 65 },
        { figure: refreshed, per: one, is: 'at most', value: 1 },
      ],
      notes: [
        'The first three figures are the growth of `used_memory` per session.',
        'Each user has one role.',
      ],
    }
  })
}

const nameOf = (each: number) => `${each} a user`

async function measureShape(
  pawl: Contender,
  redis: Redis,
  each: number,
  count: number,
): Promise<Figure> {
  const before = await usedMemory(redis)
  const users = Math.ceil(count / each)
  await pawl.seed({ count: users, each })
  return { name: nameOf(each), values: [((await usedMemory(redis)) - before) / (users * each)] }
}

async function usedMemory(redis: Redis): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1])
}

async function bytesOfUsers(redis: Redis): Promise<number> {
  const keys = await redis.keys('pawl:{*-*-*-*-*}')
  const sizes = await Promise.all(keys.map((key) => redis.memory('USAGE', key, 'SAMPLES', 0)))
  return sizes.reduce<number>((sum, size) => sum + Number(size), 0) / keys.length
}

/** Refreshes each session the given number of times. All sessions refresh at once. */
async function refreshAll(url: string, sessions: readonly Session[], times: number): Promise<void> {
  await Promise.all(
    sessions.map(async ({ refresh }) => {
      let token = refresh?.token ?? ''
      for (let time = 0; time < times; time++) {
        const body = JSON.stringify({ refreshToken: token })
        const response = await fetch(`${url}/auth/refresh`, {
          method: 'POST',
          headers: refresh?.headers ?? {},
          body,
        })
        if (!response.ok) throw new Error(`the refresh was refused with ${response.status}`)
        token = ((await response.json()) as { refreshToken: string }).refreshToken
      }
    }),
  )
}
