import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { TokenPair } from '../../src/schemas/token-pair.ts'
import { runCli } from '../support/cli-process.ts'
import { environment, newEmail, PASSWORD, until } from '../support/helper.ts'
import { currentKid, kidOf, openRecords, rotateBoth } from '../support/keys/key-records.ts'
import { type ServerProcess, startServer } from '../support/server-process.ts'

/** One each second; for more of it: TEST_KEY_ROTATIONS=60 npm test -- rotation-under-load */
const ROTATIONS = Number(process.env.TEST_KEY_ROTATIONS ?? 60)
const CLIENTS = 6
/** Milliseconds that an access token is looked after: through several rotations. */
const WATCH = 6_000

/** 503 decides nothing: a process that had to wait for the processor cannot know what is revoked. */
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

test(`${ROTATIONS} rotations, one each second, over three processes under load`, async (t) => {
  const env = await environment(t, {
    KEY_PUBLICATION_DELAY: '1s',
    ACCESS_TOKEN_TTL: '5m',
    GRACE: '60s',
    REVOCATION_MAX_STALENESS: '1s',
  })
  const servers = await Promise.all([1, 2, 3].map(() => startServer(t, env)))
  const records = await openRecords(t, env)
  let turn = 0
  const anyServer = () => servers[turn++ % servers.length] as ServerProcess
  const signUp = async () => {
    const response = await post(anyServer(), '/auth/signup', {
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

  /** A token is good at every node. */
  async function watch(token: string): Promise<void> {
    const kid = kidOf(token)
    signers.access.add(kid)
    const end = performance.now() + WATCH
    while (running && performance.now() < end) {
      for (const server of servers) {
        const status = await statusOf(server, token)
        expect(`me ${status} ${kid}`, status === 200)
      }
      await delay(300)
    }
  }

  async function live(): Promise<void> {
    let { refreshToken } = await signUp()
    const watches: Promise<void>[] = []
    while (running) {
      const headers = { 'idempotency-key': randomBytes(16).toString('hex') }
      const response = await post(anyServer(), '/auth/refresh', { refreshToken }, headers)
      expect(`refresh ${response.status} ${kidOf(refreshToken)}`, response.status === 200)
      if (response.status !== 200) return
      const pair = (await response.json()) as TokenPair
      signers.refresh.add(kidOf(pair.refreshToken))
      for (const server of servers)
        expect('not published', (await publishedBy(server)).includes(kidOf(pair.accessToken)))
      watches.push(watch(pair.accessToken))
      // The answer is lost: asked again, after a while and elsewhere, it is the same.
      await delay(500)
      const again = (await (
        await post(anyServer(), '/auth/refresh', { refreshToken }, headers)
      ).json()) as TokenPair
      expect('another successor', again.refreshToken === pair.refreshToken)
      refreshToken = pair.refreshToken
    }
    await Promise.all(watches)
  }

  const resting = await Promise.all(Array.from({ length: 3 }, signUp))
  const clients = Array.from({ length: CLIENTS }, live)

  await t.test('no valid token is ever refused', async () => {
    for (let rotation = 0; rotation < ROTATIONS; rotation++)
      await Promise.all([rotateBoth(records), delay(1_000)])
    const last = await records.read()
    const signsFrom = Math.max(...last.keys.map((key) => key.signsFrom ?? 0))
    await until(async () => (await records.read()).now > signsFrom)
    await delay(1_000)
    running = false
    await Promise.all(clients)
    t.diagnostic(
      `${checks} checks; signed by ${signers.access.size} access keys and ${signers.refresh.size} refresh keys`,
    )
    assert.deepEqual([...new Set(refusals)], [])
    assert.ok(signers.access.size > ROTATIONS / 2, `${signers.access.size} access keys have signed`)
    assert.ok(
      signers.refresh.size > ROTATIONS / 2,
      `${signers.refresh.size} refresh keys have signed`,
    )
    // Neither was a session that slept through it all.
    for (const { refreshToken } of resting)
      assert.equal((await post(anyServer(), '/auth/refresh', { refreshToken })).status, 200)
  })

  await t.test(
    'what a key signed that was retired at once is refused by every process, and stays so',
    async () => {
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
        const isPublished = async (server: ServerProcess) =>
          (await publishedBy(server)).includes(kid)
        for (const server of servers) await until(() => isRefused(server))
        for (const server of servers) {
          assert.ok(await isRefused(server))
          assert.equal(await isPublished(server), false)
        }
        // Everybody else goes on.
        const other = await signUp()
        assert.notEqual(kidOf(other[`${purpose}Token`]), kid)
        for (const server of servers) assert.equal(await statusOf(server, other.accessToken), 200)
        assert.equal(
          (await post(anyServer(), '/auth/refresh', { refreshToken: other.refreshToken })).status,
          200,
        )
      }
    },
  )
})
