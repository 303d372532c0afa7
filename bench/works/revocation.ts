import type { Comparison, Settings } from '../comparison.ts'
import { pawlEnvironment } from '../contender.ts'
import type { Request, Session } from '../contenders/seed.ts'
import { post } from '../contenders/seed.ts'
import { startPawl, withStores } from '../launch.ts'

const REVOCATIONS = 1_000

/**
 * Measures how long two other processes accept the access token of a session after one process
 * acknowledged its logout. The time ends when the first refused request is sent. It therefore
 * excludes the duration of that request and includes the gap before it.
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
      // The other processes verify the token before it is revoked, and keep a connection open.
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
        `${sessions.length.toLocaleString('en')} sessions were revoked.`,
        `The first requests after each revocation were refused in ${atOnce.toFixed(1)} % of cases.`,
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
 * Returns the milliseconds from `since` until the request is sent that the server refuses, or 0 if
 * the server refuses the first one.
 */
async function untilRefused(url: string, request: Request, since: number): Promise<number> {
  for (let first = true; ; first = false) {
    const begun = performance.now()
    if ((await ask(url, request)) === 401) return first ? 0 : begun - since
  }
}

/** Retries until the logout is acknowledged, because an overloaded server can respond with 503. */
async function logOut(url: string, refreshToken: string): Promise<void> {
  const { path, ...init } = post('/auth/logout', { refreshToken })
  for (;;) {
    const { status } = await fetch(`${url}${path}`, init)
    if (status === 204) return
    if (status !== 503) throw new Error(`the logout was refused with ${status}`)
  }
}
