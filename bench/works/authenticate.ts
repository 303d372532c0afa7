import { type Comparison, interleave, type Settings } from '../comparison.ts'
import type { Contender } from '../contender.ts'
import type { Request } from '../contenders/seed.ts'
import { startFloor, startPawl, startPeers, withStores } from '../launch.ts'
import { describeVersions } from '../peers/peers.ts'
import { attack } from '../wrk.ts'

const TOKENS = 10_000

/** Compares authenticated GETs that use 10,000 live access tokens in turn. */
export function authenticate(settings: Settings): Promise<Comparison> {
  const { quick } = settings
  const tokens = quick ? 200 : TOKENS
  return withStores(async (stores) => {
    const contenders = [
      await startFloor(stores, 'no auth', 'bare'),
      await startFloor(stores, '@fastify/jwt, cached', 'jwt'),
      await startPawl(stores),
      ...(await startPeers(stores, 'authenticate', settings)),
    ]
    const seeds = new Map<Contender, { requests: Request[]; staleAt: number }>()
    for (const contender of contenders) {
      const { freshFor = Number.POSITIVE_INFINITY } = contender
      const staleAt = performance.now() + freshFor * 1_000
      const sessions = await contender.seed({ count: tokens })
      seeds.set(contender, {
        requests: sessions.flatMap(({ authenticate }) => authenticate ?? []),
        staleAt,
      })
    }
    const measure = async (contender: Contender, duration: number) => {
      const { requests = [], staleAt = 0 } = seeds.get(contender) ?? {}
      const { perSecond } = await attack(contender.url, requests, { duration })
      if (performance.now() > staleAt)
        throw new Error(`${contender.name}: its sessions were not fresh until the end of the round`)
      return perSecond
    }
    if (!quick) for (const contender of contenders) await measure(contender, 2_000)
    return {
      title: `Authenticated GET, ${tokens.toLocaleString('en')} live tokens in turn`,
      unit: 'requests/s',
      figures: await interleave(contenders, quick ? 1 : 5, (contender) =>
        measure(contender, quick ? 1_000 : 3_000),
      ),
      targets: [
        { figure: 'Pawl', per: 'no auth', is: 'at least', value: 0.8 },
        { figure: 'Pawl', per: '@fastify/jwt, cached', is: 'at least', value: 1.2 },
        { figure: 'Pawl', per: 'tutorial-denylist', is: 'at least', value: 8 },
        { figure: 'Pawl', per: 'better-auth', is: 'at least', value: 8 },
      ],
      notes: describeVersions('authenticate'),
    }
  })
}
