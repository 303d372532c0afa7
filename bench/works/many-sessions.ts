import { Redis } from 'ioredis'
import { type Comparison, interleave, type Settings } from '../comparison.ts'
import type { Stores } from '../contender.ts'
import { refreshBy } from '../contenders/seed.ts'
import { startPawl, withStores } from '../launch.ts'
import { attack } from '../wrk.ts'

/** The total number of sessions, and the number of sessions that are refreshed. */
interface Size {
  all: number
  used: number
}

const SIZES = [
  { all: 1_000, used: 1_000 },
  { all: 2_000_000, used: 10_000 },
]
const QUICK_SIZES = [
  { all: 100, used: 100 },
  { all: 20_000, used: 200 },
]
/** The number of sessions that one script creates. Redis does nothing else meanwhile. */
const CHUNK = 20_000

/**
 * Creates users with one session each by copying an existing user. The values have the same bytes,
 * only the ids differ.
 */
const COPY = `
  local user = redis.call('HGETALL', KEYS[1])
  local life = redis.call('PTTL', KEYS[1])
  for index = tonumber(ARGV[1]), tonumber(ARGV[2]) do
    local key = string.format('pawl:{%08x-0000-4000-8000-%012x}', index, index)
    for at = 1, #user, 2 do
      local field = user[at] == 'u' and 'u' or struct.pack('>I8I8', index, index)
      redis.call('HSET', key, field, user[at + 1])
    end
    redis.call('PEXPIRE', key, life)
  end`

/** Compares refreshes with a thousand and with two million sessions in Redis. */
export function manySessions({ quick }: Settings): Promise<Comparison> {
  return withStores((small) =>
    withStores(async (large) => {
      const [few, many] = quick ? QUICK_SIZES : SIZES
      const contenders = [await prepare(small, few as Size), await prepare(large, many as Size)]
      const measure = async (contender: Contender, duration: number) => {
        const { perSecond, tokens } = await attack(contender.url, contender.tokens.map(refreshBy), {
          duration,
        })
        contender.tokens = tokens
        return perSecond
      }
      if (!quick) for (const contender of contenders) await measure(contender, 1_000)
      const figures = await interleave(contenders, quick ? 1 : 5, (contender) =>
        measure(contender, quick ? 1_000 : 4_000),
      )
      const [less, more] = figures
      return {
        title: 'Refresh, by the number of sessions in Redis',
        unit: 'refreshes/s',
        figures,
        targets: [{ figure: more?.name ?? '', per: less?.name ?? '', is: 'at least', value: 0.9 }],
        notes: ['Ten thousand of the two million sessions are refreshed in turn.'],
      }
    }),
  )
}

interface Contender {
  name: string
  url: string
  tokens: string[]
}

async function prepare(stores: Stores, { all, used }: Size): Promise<Contender> {
  const pawl = await startPawl(stores)
  const sessions = await pawl.seed({ count: used })
  await addSessions(stores.redis.url, all - used)
  return {
    name: `${all.toLocaleString('en')} sessions`,
    url: pawl.url,
    tokens: sessions.flatMap(({ refresh }) => refresh?.token ?? []),
  }
}

async function addSessions(url: string, count: number): Promise<void> {
  const redis = new Redis(url)
  const [, [model = '']] = await redis.scan('0', 'MATCH', 'pawl:{*-*-*-*-*}', 'COUNT', 1_000)
  for (let first = 1; first <= count; first += CHUNK)
    await redis.eval(COPY, 1, model, first, Math.min(count, first + CHUNK - 1))
  redis.disconnect()
}
