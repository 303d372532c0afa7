import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { TokenPair } from '../../src/schemas/token-pair.ts'
import { runCli } from '../support/cli-process.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { environment } from '../support/environment.ts'
import { currentKid, kidOf, openRecords, rotateBoth } from '../support/keys/key-records.ts'
import { type ServerProcess, startServer } from '../support/server-process.ts'
import { until } from '../support/until.ts'

/** One per second. For more: TEST_KEY_ROTATIONS=600 npm test -- rotation-under-load */
const ROTATIONS = Number(process.env.TEST_KEY_ROTATIONS ?? 60)
const CLIENTS = 6
/** Milliseconds for which an access token is checked again and again, across several rotations. */
const CHECK_FOR = 6_000

/** Asks until the status is not 503, which a process gives that was starved of CPU. */
async function decided(ask: () => Promise<Response>): Promise<Response> {
  for (;;) {
    const response = await ask()
    if (response.status !== 503) return response
    await response.arrayBuffer()
    await delay(50)
  }
}

const post = (server: ServerProcess, path: string, body: object, headers = {}) =>
  decided(() =>
    fetch(`${server.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    }),
  )

const statusOf = async ({ url }: ServerProcess, accessToken: string) => {
  const headers = { authorization: `Bearer ${accessToken}` }
  return (await decided(() => fetch(`${url}/auth/me`, { headers }))).status
}

const publishedBy = async ({ url }: ServerProcess): Promise<string[]> => {
  const { keys } = (await (await fetch(`${url}/.well-known/jwks.json`)).json()) as {
    keys: { kid: string }[]
  }
  return keys.map(({ kid }) => kid)
}

test(`${ROTATIONS} rotations, one per second, on three processes under load`, async (t) => {
  const env = await environment(t, {
    KEY_PUBLICATION_DELAY: '1s',
    ACCESS_TOKEN_TTL: '5m',
    GRACE: '60s',
    REVOCATION_MAX_STALENESS: '1s',
  })
  const servers = await Promise.all([1, 2, 3].map(() => startServer(t, env)))
  const records = await openRecords(t, env)
  let calls = 0
  const nextServer = () => servers[calls++ % servers.length] as ServerProcess
  const signUp = async () => {
    const response = await post(nextServer(), '/auth/signup', {
      email: newEmail(),
      password: PASSWORD,
    })
    return (await response.json()) as TokenPair
  }

  const refusals: string[] = []
  const signers = { access: new Set<string>(), refresh: new Set<string>() }
  let checks = 0
  let running = true
  const expect = (what: string, isSo: boolean) => {
    checks++
    if (!isSo) refusals.push(what)
  }

  /** Expects every node to accept the token. */
  async function checkRepeatedly(token: string): Promise<void> {
    const kid = kidOf(token)
    signers.access.add(kid)
    const end = performance.now() + CHECK_FOR
    while (running && performance.now() < end) {
      for (const server of servers) {
        const status = await statusOf(server, token)
        expect(`me ${status} ${kid}`, status === 200)
      }
      await delay(300)
    }
  }

  async function runClient(): Promise<void> {
    let { refreshToken } = await signUp()
    const runningChecks: Promise<void>[] = []
    while (running) {
      const headers = { 'idempotency-key': randomBytes(16).toString('hex') }
      const response = await post(nextServer(), '/auth/refresh', { refreshToken }, headers)
      expect(`refresh ${response.status} ${kidOf(refreshToken)}`, response.status === 200)
      if (response.status !== 200) return
      const pair = (await response.json()) as TokenPair
      signers.refresh.add(kidOf(pair.refreshToken))
      for (const server of servers)
        expect('not published', (await publishedBy(server)).includes(kidOf(pair.accessToken)))
      runningChecks.push(checkRepeatedly(pair.accessToken))
      // A retry of a lost response, later and on another node, gets the same token.
      await delay(500)
      const again = (await (
        await post(nextServer(), '/auth/refresh', { refreshToken }, headers)
      ).json()) as TokenPair
      expect('another successor', again.refreshToken === pair.refreshToken)
      refreshToken = pair.refreshToken
    }
    await Promise.all(runningChecks)
  }

  const idle = await Promise.all(Array.from({ length: 3 }, signUp))
  const clients = Array.from({ length: CLIENTS }, runClient)

  await t.test('no valid token is ever refused', async () => {
    for (let rotation = 0; rotation < ROTATIONS; rotation++)
      await Promise.all([rotateBoth(records), delay(1_000)])
    const last = await records.read()
    const signsFrom = Math.max(...last.keys.map((key) => key.signsFrom ?? 0))
    await until(async () => (await records.read()).now > signsFrom)
    await delay(1_000)
    running = false
    await Promise.all(clients)
    const [access, refresh] = [signers.access.size, signers.refresh.size]
    t.diagnostic(`${checks} checks; ${access} access keys and ${refresh} refresh keys signed`)
    assert.deepEqual([...new Set(refusals)], [])
    assert.ok(access > ROTATIONS / 2, `${access} access keys have signed`)
    assert.ok(refresh > ROTATIONS / 2, `${refresh} refresh keys have signed`)
    // Sessions that were idle during all rotations are still valid.
    for (const { refreshToken } of idle)
      assert.equal((await post(nextServer(), '/auth/refresh', { refreshToken })).status, 200)
  })

  await t.test('every process refuses the tokens of a revoked key for good', async () => {
    for (const purpose of ['access', 'refresh'] as const) {
      const kid = await currentKid(records, purpose)
      let pair = await signUp()
      while (kidOf(pair[`${purpose}Token`]) !== kid) pair = await signUp()
      const result = await runCli(['keys', 'retire', kid, '--now', '--yes'], env)
      assert.equal(result.code, 0, result.stderr)
      const isRefused = async (server: ServerProcess) => {
        if (purpose === 'access') return (await statusOf(server, pair.accessToken)) === 401
        return (
          (await post(server, '/auth/logout', { refreshToken: pair.refreshToken })).status === 401
        )
      }
      const isPublished = async (server: ServerProcess) => (await publishedBy(server)).includes(kid)
      for (const server of servers) await until(() => isRefused(server))
      for (const server of servers) {
        assert.ok(await isRefused(server))
        assert.equal(await isPublished(server), false)
      }
      // Tokens of other keys are not affected.
      const other = await signUp()
      assert.notEqual(kidOf(other[`${purpose}Token`]), kid)
      for (const server of servers) assert.equal(await statusOf(server, other.accessToken), 200)
      assert.equal(
        (await post(nextServer(), '/auth/refresh', { refreshToken: other.refreshToken })).status,
        200,
      )
    }
  })
})
