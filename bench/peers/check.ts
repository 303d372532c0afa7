import assert from 'node:assert/strict'
import { createEmptyDatabase } from '../../test/support/services/template.ts'
import { startStores } from '../contender.ts'
import type { Chain, Request, Session } from '../contenders/seed.ts'
import type { Peer } from './peer.ts'
import { arePeersInstalled, installPeers, peers, versionsOf } from './peers.ts'
import { startPeer } from './start.ts'

const SESSIONS = 20
const REFRESHES = 3

async function send(url: string, { path, ...request }: Request) {
  const response = await fetch(url + path, request)
  return { status: response.status, body: await response.text() }
}

/** Returns the same request with a forged credential. */
function forged(request: Request): Request {
  const change = (text: string) =>
    text.replace(/[A-Za-z0-9_-]{16,}(?=[^A-Za-z0-9_-]*$)/, 'forged-credential')
  if (request.body) return { ...request, body: change(request.body) }
  const { cookie, authorization, ...headers } = request.headers
  if (cookie)
    return { ...request, headers: { ...headers, cookie: cookie.replace(/=[^;]+/g, '=forged') } }
  return { ...request, headers: { ...headers, authorization: change(String(authorization)) } }
}

function bare({ headers: { cookie, authorization, ...headers }, ...request }: Request): Request {
  return { ...request, headers }
}

async function checkAuthenticate(peer: Peer, url: string, sessions: Session[]) {
  const requests = sessions.flatMap(({ authenticate }) => authenticate ?? [])
  assert.equal(requests.length, sessions.length)
  const answers = await Promise.all(requests.map((request) => send(url, request)))
  for (const { status, body } of answers) {
    assert.equal(status, 200, body)
    if (peer.refusal) assert.ok(!body.includes(peer.refusal), body)
    else assert.deepEqual(JSON.parse(body).roles, ['user'])
  }
  const users = answers.map(({ body }) => JSON.parse(body)).map(({ id, sub }) => id ?? sub)
  assert.equal(new Set(users).size, sessions.length, 'each session belongs to a different user')

  const [request] = requests
  assert.ok(request)
  assert.ok(await isRefused(peer, url, forged(request)), 'a forged credential is refused')
  assert.equal((await send(url, bare(request))).status, peer.refusal ? 400 : 401)
}

async function isRefused(peer: Peer, url: string, request: Request) {
  const { status, body } = await send(url, request)
  return peer.refusal ? status === 200 && body.includes(peer.refusal) : status === 401
}

async function checkRevoke(peer: Peer, url: string, { authenticate, revoke }: Session) {
  if (!revoke || !authenticate) return '-'
  assert.equal(await isRefused(peer, url, authenticate), false)
  const { status, body } = await send(url, revoke)
  assert.ok(status === 200 || status === 204, `${status} ${body}`)
  assert.ok(await isRefused(peer, url, authenticate), 'a revoked credential is refused')
  return 'ok'
}

async function refresh(url: string, { token, field, ...request }: Chain) {
  const answer = await send(url, { ...request, body: request.body.replace('{token}', token) })
  const next: unknown = answer.status === 200 ? JSON.parse(answer.body)[field] : undefined
  return { ...answer, next: typeof next === 'string' ? next : undefined }
}

async function checkRefresh(url: string, first: Chain) {
  let { token } = first
  for (let count = 0; count < REFRESHES; count++) {
    const { status, body, next } = await refresh(url, { ...first, token })
    assert.equal(status, 200, body)
    assert.ok(next && next !== token, 'a refresh returns a new refresh token')
    token = next
  }
  const { status } = await refresh(url, first)
  assert.ok(
    status === 400 || status === 401,
    `a replayed refresh token is refused, but the status was ${status}`,
  )
}

async function check(peer: Peer) {
  const stores = await startStores()
  try {
    const running = await startPeer(
      peer,
      stores.redis.url,
      (await createEmptyDatabase(stores.postgres.url)).url,
    )
    try {
      const sessions = await running.seed({ count: SESSIONS })
      assert.equal(sessions.length, SESSIONS)
      await checkAuthenticate(peer, running.url, sessions)
      const first = sessions[0]?.refresh
      if (peer.work.includes('refresh')) assert.ok(first)
      if (first) await checkRefresh(running.url, first)
      const [, last] = sessions
      assert.ok(last)
      const revoke = await checkRevoke(peer, running.url, last)
      const begun = performance.now()
      await running.seed({ count: 10_000 })
      return {
        authenticate: 'ok',
        refresh: first ? 'ok' : '-',
        revoke,
        'seed of 10,000': seconds(begun),
      }
    } finally {
      await running.stop()
    }
  } finally {
    await stores.stop()
  }
}

const seconds = (begun: number) => `${((performance.now() - begun) / 1000).toFixed(1)} s`

const names = process.argv.slice(2)
const chosen = peers.filter(({ name }) => names.length === 0 || names.includes(name))
if (chosen.length < (names.length || 1))
  throw new Error(`Unknown peer. The peers are: ${peers.map(({ name }) => name).join(', ')}`)

if (!arePeersInstalled()) installPeers()
const lines: string[] = []
for (const peer of chosen) {
  const result = await check(peer).catch((error: Error) => {
    process.exitCode = 1
    return { failed: error.message }
  })
  const cells = Object.entries({ ...result, ...versionsOf(peer) }).map(
    ([key, value]) => `${key} ${value}`,
  )
  lines.push(`${peer.name}: ${cells.join(' · ')}`)
  process.stdout.write(`${lines.at(-1)}\n`)
}
