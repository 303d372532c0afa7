import { type Comparison, interleave, type Settings } from '../comparison.ts'
import type { Contender } from '../contender.ts'
import { startFloor, startPawl, startPeers, withStores } from '../launch.ts'
import { describeVersions } from '../peers/peers.ts'
import { attack } from '../wrk.ts'

const SESSIONS = 500

/** Compares refreshes. Each carries the token from the response to the previous one. */
export function refresh(settings: Settings): Promise<Comparison> {
  const { quick } = settings
  return withStores(async (stores) => {
    const contenders = [
      await startFloor(stores, 'signatures and a no-op script', 'refresh'),
      await startPawl(stores),
      ...(await startPeers(stores, 'refresh', settings)),
    ]
    const measure = async (contender: Contender, duration: number) => {
      const sessions = await contender.seed({ count: quick ? 50 : SESSIONS })
      const chains = sessions.flatMap((session) => session.refresh ?? [])
      return (await attack(contender.url, chains, { duration })).perSecond
    }
    if (!quick) for (const contender of contenders) await measure(contender, 3_000)
    return {
      title: 'Refresh with rotation',
      unit: 'refreshes/s',
      figures: await interleave(contenders, quick ? 1 : 5, (contender) =>
        measure(contender, quick ? 1_000 : 4_000),
      ),
      targets: [
        { figure: 'Pawl', per: 'signatures and a no-op script', is: 'at least', value: 0.8 },
        { figure: 'Pawl', per: 'tutorial-rotation', is: 'at least', value: 2 },
        { figure: 'Pawl', per: 'better-auth-oauth', is: 'at least', value: 4 },
        { figure: 'Pawl', per: 'oidc-provider', is: 'at least', value: 4 },
      ],
      notes: describeVersions('refresh'),
    }
  })
}
