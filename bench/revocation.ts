import { startServers } from './servers.ts'

const REVOCATIONS = 1_000

interface Pair {
  accessToken: string
  refreshToken: string
}

async function post(url: string, body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' }
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
}

/** Milliseconds until a request is begun that the server refuses; 0 where the first one is. */
async function untilRefused(server: string, { accessToken }: Pair, since: number): Promise<number> {
  const headers = { authorization: `Bearer ${accessToken}` }
  for (let first = true; ; first = false) {
    const begun = performance.now()
    const response = await fetch(`${server}/auth/me`, { headers })
    await response.arrayBuffer()
    if (response.status === 401) return first ? 0 : begun - since
  }
}

/** Until it is acknowledged: a starved machine answers 503 now and then. */
async function logOut(server: string, { refreshToken }: Pair): Promise<void> {
  for (;;) {
    const { status } = await post(`${server}/auth/logout`, { refreshToken })
    if (status === 204) return
    if (status !== 503) throw new Error(`logout answered ${status}`)
  }
}

function percentile(sorted: number[], share: number): string {
  return `${(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1)} ms`
}

/**
 * How long after a logout was acknowledged by one process the two others still accept the session's access token. What
 * is counted is when a request was begun, so that the time a request takes is not in it, but the gap to the one before is.
 */
export async function revocation(): Promise<string> {
  const servers = await startServers(3)
  try {
    const [one = '', ...others] = servers.urls
    const delays: number[] = []
    for (let index = 0; index < REVOCATIONS; index++) {
      const account = { email: `user${index}@example.com`, password: 'turn one notch at a time' }
      const pair = (await (await post(`${one}/auth/signup`, account)).json()) as Pair
      await logOut(one, pair)
      const acknowledged = performance.now()
      delays.push(...(await Promise.all(others.map((server) => untilRefused(server, pair, acknowledged)))))
    }
    delays.sort((a, b) => a - b)
    const atOnce = delays.filter((delay) => delay === 0).length
    return [
      `${REVOCATIONS} revocations at one of three processes, seen by the two others`,
      `refused at the first request: ${((atOnce / delays.length) * 100).toFixed(1)} %`,
      ...[0.5, 0.9, 0.99, 1].map((share) => `p${share * 100}: ${percentile(delays, share)}`),
    ].join('\n')
  } finally {
    await servers.stop()
  }
}
