import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import postgres from 'postgres'
import type { Comparison, Settings } from '../comparison.ts'
import { type Contender, pawlEnvironment, type Stores } from '../contender.ts'
import type { Request } from '../contenders/seed.ts'
import { startPawl, withStores } from '../launch.ts'

const STREAM = '{pawl:revocations}'
/** Milliseconds of absence: twice the staleness bound. */
const ABSENCE = 4_000
const HANG = 'Redis hangs'
const RESTART = 'Redis restarts empty'
const START = 'start of a process'

/**
 * Measures how long processes with a million recent revocations respond with 503 after Redis is
 * back, how long a process takes to start, and how much memory a revocation takes.
 */
export function reconnection({ quick, say }: Settings): Promise<Comparison> {
  const count = Number(process.env.BENCH_REVOCATIONS ?? (quick ? 2_000 : 1_000_000))
  return withStores(async (stores) => {
    const env = { ...(await pawlEnvironment(stores)), REVOCATION_MAX_STALENESS: '2s' }
    const start = () => startPawl(stores, { env, flags: ['--expose-gc'] })
    const first = await start()
    const [session] = await first.seed({ count: 1 })
    const request = session?.authenticate as Request
    const emptyHeap = await heapOf(first)
    await first.stop()
    await revoke(env.DATABASE_URL, count)
    say(`${count} revocations are in Postgres`)

    const startReady = async () => {
      const node = await start()
      while ((await statusOf(node, request)) !== 200) await delay(5)
      return node
    }
    const one = await startReady()
    const filling = await filledStream(stores, count)
    const begun = performance.now()
    const two = await startReady()
    const starting = (performance.now() - begun) / 1_000
    const bytes = ((await heapOf(two)) - emptyHeap) / count
    say(`a process with all of them starts in ${starting.toFixed(1)} s`)

    const nodes = [one, two]
    const rounds = quick ? 1 : 3
    const hangs: number[] = []
    const restarts: number[] = []
    let slowest = 0
    for (let round = 0; round < rounds; round++) {
      hangs.push(await staleAfter(nodes, request, () => hang(stores)))
      restarts.push(await staleAfter(nodes, request, () => restart(stores)))
      let isOver = false
      const refilled = filledStream(stores, count).finally(() => {
        isOver = true
      })
      while (!isOver) slowest = Math.max(slowest, await timeOf(one, request))
      await refilled
      say(`round ${round + 1}: ${hangs.at(-1)?.toFixed(2)} s, ${restarts.at(-1)?.toFixed(2)} s`)
    }
    return {
      title: 'Reconnection to Redis with a million recent revocations, until requests are served',
      unit: 's',
      figures: [
        { name: HANG, values: hangs },
        { name: RESTART, values: restarts },
        { name: START, values: [starting] },
      ],
      targets: [HANG, RESTART].map((figure) => ({ figure, is: 'at most' as const, value: 1 })),
      notes: [
        `There were ${count.toLocaleString('en')} recent revocations and two processes.`,
        `Each revocation took ${bytes.toFixed(0)} bytes of the heap of a process.`,
        `One process filled an empty stream with them in ${filling.toFixed(1)} s. ` +
          `Meanwhile, the slowest authenticated request took ${slowest.toFixed(0)} ms.`,
      ],
    }
  })
}

async function heapOf({ url }: Contender): Promise<number> {
  return ((await (await fetch(`${url}/bench/heap`)).json()) as { bytes: number }).bytes
}

/** Inserts sessions that were revoked within the last ten minutes. */
async function revoke(url: string, count: number): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  await sql`
    insert into pawl.sessions
      (id, user_id, created_at, expires_at, last_seen_at, revoked_at, published_at)
    select gen_random_uuid(), users.id, now() - interval '1 hour', now() + interval '1 day', now(),
      now() - n * interval '10 minutes' / ${count}::int, now()
    from (select id from pawl.users limit 1) as users, generate_series(1, ${count}::int) as n`
  await sql`vacuum analyze sessions`
  await sql.end()
}

/** Returns the seconds until the stream has all revocations. */
async function filledStream({ redis }: Stores, count: number): Promise<number> {
  const begun = performance.now()
  const operator = new Redis(redis.url)
  while ((await operator.xlen(STREAM)) < count) await delay(20)
  operator.disconnect()
  return (performance.now() - begun) / 1_000
}

async function hang({ redis }: Stores): Promise<void> {
  redis.kill('SIGSTOP')
  await delay(ABSENCE)
  redis.kill('SIGCONT')
}

async function restart({ redis }: Stores): Promise<void> {
  await redis.crash('SIGKILL')
  await delay(ABSENCE)
  await redis.restart()
}

/** Returns the seconds from the end of the absence until every process serves the request. */
async function staleAfter(
  nodes: readonly Contender[],
  request: Request,
  beAbsent: () => Promise<void>,
): Promise<number> {
  await beAbsent()
  const begun = performance.now()
  await Promise.all(
    nodes.map(async (node) => {
      while ((await statusOf(node, request)) !== 200) await delay(5)
    }),
  )
  return (performance.now() - begun) / 1_000
}

async function statusOf({ url }: Contender, { path, headers }: Request): Promise<number> {
  const response = await fetch(`${url}${path}`, { headers })
  await response.arrayBuffer()
  return response.status
}

/** Returns the milliseconds that the request takes. */
async function timeOf(node: Contender, request: Request): Promise<number> {
  const begun = performance.now()
  await statusOf(node, request)
  return performance.now() - begun
}
