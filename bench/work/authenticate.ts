import { type Comparison, interleave, type Settings } from '../comparison.ts'
import type { Contender } from '../contender.ts'
import type { Request } from '../contenders/seed.ts'
import { startFloor, startPawl, startPeers, withStores } from '../launch.ts'
import { attack } from '../wrk.ts'

const TOKENS = 10_000

/** A GET by an access token: 10,000 live ones in turn. */
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
    const requests = new Map<Contender, Request[]>()
    for (const contender of contenders) {
      const sessions = await contender.seed({ count: tokens })
      requests.set(
        contender,
        sessions.flatMap((session) => session.authenticate ?? []),
      )
    }
    const measure = async (contender: Contender, duration: number) =>
      (await attack(contender.url, requests.get(contender) ?? [], { duration })).perSecond
    if (!quick) for (const contender of contenders) await measure(contender, 3_000)
    return {
      title: `Authenticated GET, ${tokens.toLocaleString('en')} live tokens in turn`,
      unit: 'requests/s',
      figures: await interleave(contenders, quick ? 1 : 5, (contender) =>
        measure(contender, quick ? 1_000 : 4_000),
      ),
      targets: [
        { figure: 'Pawl', per: 'no auth', is: 'at least', value: 0.8 },
        { figure: 'Pawl', per: '@fastify/jwt, cached', is: 'at least', value: 1.2 },
        { figure: 'Pawl', per: 'tutorial-denylist', is: 'at least', value: 8 },
        { figure: 'Pawl', per: 'better-auth', is: 'at least', value: 8 },
      ],
    }
  })
}
