import type { Comparison, Settings } from '../comparison.ts'
import { pawlEnvironment } from '../contender.ts'
import type { Request, Session } from '../contenders/seed.ts'
import { post } from '../contenders/seed.ts'
import { startPawl, withStores } from '../launch.ts'

const REVOCATIONS = 1_000

/**
 * How long after a logout was acknowledged by one process the two others still accept the session's access token. What
 * is counted is when a request was begun, so that the time a request takes is not in it, but the gap to the one before is.
 */
export function revocation({ quick }: Settings): Promise<Comparison> {
  return withStores(async (stores) => {
    const env = await pawlEnvironment(stores)
    const one = await startPawl(stores, { env })
    const others = [await startPawl(stores, { env }), await startPawl(stores, { env })]
    const sessions = await one.seed({ count: quick ? 20 : REVOCATIONS })
    const delays: number[] = []
    for (const session of sessions) {
      const { authenticate, refresh } = session as Required<Session>
      // All know the token before it dies, and have a connection open.
      for (const { url } of others) await ask(url, authenticate)
      await logOut(one.url, refresh.token)
      const acknowledged = performance.now()
      delays.push(
        ...(await Promise.all(
          others.map(({ url }) => untilRefused(url, authenticate, acknowledged)),
        )),
      )
    }
    delays.sort((a, b) => a - b)
    const percentile = (share: number) =>
      delays[Math.min(delays.length - 1, Math.floor(delays.length * share))] ?? 0
    const atOnce = (delays.filter((delay) => delay === 0).length / delays.length) * 100
    return {
      title: 'Revocation at one of three processes, until the two others refuse the token',
      unit: 'ms',
      figures: [0.5, 0.9, 0.99, 1].map((share) => ({
        name: `p${share * 100}`,
        values: [percentile(share)],
      })),
      targets: [{ figure: 'p99', is: 'at most', value: 20 }],
      notes: [
        `${sessions.length.toLocaleString('en')} revocations; of the first requests after each, ${atOnce.toFixed(1)} % were refused.`,
      ],
    }
  })
}

async function ask(url: string, { path, headers }: Request): Promise<number> {
  const response = await fetch(`${url}${path}`, { headers })
  await response.arrayBuffer()
  return response.status
}

/** Milliseconds until a request is begun that the server refuses; 0 where the first one is. */
async function untilRefused(url: string, request: Request, since: number): Promise<number> {
  for (let first = true; ; first = false) {
    const begun = performance.now()
    if ((await ask(url, request)) === 401) return first ? 0 : begun - since
  }
}

/** Until it is acknowledged: a starved machine answers 503 now and then. */
async function logOut(url: string, refreshToken: string): Promise<void> {
  const { path, ...init } = post('/auth/logout', { refreshToken })
  for (;;) {
    const { status } = await fetch(`${url}${path}`, init)
    if (status === 204) return
    if (status !== 503) throw new Error(`logout answered ${status}`)
  }
}
