import type { Comparison, Settings } from '../comparison.ts'
import { pawlEnvironment } from '../contender.ts'
import type { Request, Session } from '../contenders/seed.ts'
import { post } from '../contenders/seed.ts'
import { startPawl, withStores } from '../launch.ts'

const REVOCATIONS = 1_000

/**
 * The time for which two other processes accept the access token of a session after one process
 * acknowledged its logout. It is taken from when a request was sent. It therefore excludes the
 * duration of the request and includes the gap before it.
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
      // All processes know the token before it is revoked, and have a connection open.
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

/**
 * Milliseconds until a request is sent that the server refuses, or 0 if the first one is refused.
 */
async function untilRefused(url: string, request: Request, since: number): Promise<number> {
  for (let first = true; ; first = false) {
    const begun = performance.now()
    if ((await ask(url, request)) === 401) return first ? 0 : begun - since
  }
}

/** Retries until it is acknowledged, because a starved machine sometimes responds with 503. */
async function logOut(url: string, refreshToken: string): Promise<void> {
  const { path, ...init } = post('/auth/logout', { refreshToken })
  for (;;) {
    const { status } = await fetch(`${url}${path}`, init)
    if (status === 204) return
    if (status !== 503) throw new Error(`logout answered ${status}`)
  }
}
