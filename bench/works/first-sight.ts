import { type Comparison, interleave, type Settings } from '../comparison.ts'
import type { Contender } from '../contender.ts'
import { startFloor, startPawl, withStores } from '../launch.ts'
import { attack } from '../wrk.ts'

/** Tokens per second of a round. It is more than a typical machine can verify. */
const TOKENS_A_SECOND = 12_000

/**
 * Compares authenticated GETs with tokens that the server has never seen, so that it verifies every
 * signature.
 */
export function firstSight({ quick }: Settings): Promise<Comparison> {
  const [seconds, rounds] = quick ? [1, 1] : [3, 5]
  return withStores(async (stores) => {
    const contenders = [
      await startFloor(stores, '@fastify/jwt, no cache', 'jwt', { CACHE: 'off' }),
      await startPawl(stores),
    ]
    const measure = async (contender: Contender) => {
      const sessions = await contender.seed({ count: 100, tokens: seconds * TOKENS_A_SECOND })
      const requests = sessions.flatMap(({ authenticate }) => authenticate ?? [])
      return (await attack(contender.url, requests, { duration: seconds * 1_000, once: true }))
        .perSecond
    }
    if (!quick) for (const contender of contenders) await measure(contender)
    return {
      title: 'Authenticated GET, each token for the first time',
      unit: 'requests/s',
      figures: await interleave(contenders, rounds, measure),
      targets: [{ figure: 'Pawl', per: '@fastify/jwt, no cache', is: 'at least', value: 0.95 }],
      notes: ['Both verify Ed25519.'],
    }
  })
}
