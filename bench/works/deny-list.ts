import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { type Comparison, type Figure, interleave, type Settings } from '../comparison.ts'
import type { Contender } from '../contender.ts'
import type { Request } from '../contenders/seed.ts'
import { startPawl, withStores } from '../launch.ts'
import { attack } from '../wrk.ts'

const REVOKED = 1_000_000
const TOKENS = 10_000
/** The number of entries that are sent to Redis at once. */
const CHUNK = 10_000

/**
 * Measures what a million revoked sessions cost a server in memory and speed. The revocations
 * arrive through the Redis stream, as if other nodes had published them.
 */
export function denyList({ quick }: Settings): Promise<Comparison> {
  const [revoked, tokens] = quick ? [5_000, 100] : [REVOKED, TOKENS]
  return withStores((few) =>
    withStores(async (many) => {
      const flags = ['--expose-gc']
      const contenders = [
        await startPawl(few, { name: 'none revoked', flags }),
        await startPawl(many, { name: `${revoked.toLocaleString('en')} revoked`, flags }),
      ] as const
      const [, full] = contenders
      const requests = new Map<Contender, Request[]>()
      for (const contender of contenders) {
        const sessions = await contender.seed({ count: tokens })
        requests.set(
          contender,
          sessions.flatMap(({ authenticate }) => authenticate ?? []),
        )
      }
      const before = await heapOf(full)
      await revoke(many.redis.url, revoked)
      while ((await rememberedBy(full)) < revoked) await delay(50)
      const heap: Figure = {
        name: 'heap of each',
        values: [((await heapOf(full)) - before) / revoked],
      }
      const measure = async (contender: Contender, duration: number) =>
        (await attack(contender.url, requests.get(contender) ?? [], { duration })).perSecond
      if (!quick) for (const contender of contenders) await measure(contender, 3_000)
      const figures = await interleave(contenders, quick ? 1 : 5, (contender) =>
        measure(contender, quick ? 1_000 : 4_000),
      )
      return {
        title: 'Authenticated GET, by the number of revoked sessions',
        unit: 'requests/s; bytes',
        figures: [...figures, heap],
        targets: [
          { figure: full.name, per: 'none revoked', is: 'at least', value: 0.95 },
          { figure: heap.name, is: 'at most', value: 100 },
        ],
      }
    }),
  )
}

async function heapOf({ url }: Contender): Promise<number> {
  return ((await (await fetch(`${url}/bench/heap`)).json()) as { bytes: number }).bytes
}

async function rememberedBy({ url }: Contender): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(/^pawl_revocations (\d+)/m.exec(text)?.[1])
}

async function revoke(url: string, count: number): Promise<void> {
  const redis = new Redis(url)
  for (let sent = 0; sent < count; ) {
    const pipeline = redis.pipeline()
    for (let index = 0; index < CHUNK && sent < count; index++, sent++) {
      const entry = JSON.stringify({ kind: 'session', sessionId: randomUUID() })
      pipeline.xadd('{pawl:revocations}', '*', 'revocation', entry)
    }
    await pipeline.exec()
  }
  redis.disconnect()
}
