import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TokenPair } from '../src/schemas/token-pair.ts'
import { environment, newEmail, PASSWORD, until } from './helper.ts'
import { patiently } from './patience.ts'
import { type ServerProcess, startServer } from './server-process.ts'

const post = (server: ServerProcess | undefined, path: string, body: object) =>
  patiently(() =>
    fetch(`${server?.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  )

const me = (server: ServerProcess | undefined, { accessToken }: TokenPair) =>
  patiently(() => fetch(`${server?.url}/auth/me`, { headers: { authorization: `Bearer ${accessToken}` } }))

test('three processes on one Redis act as one', async (t) => {
  const env = await environment(t)
  const servers = await Promise.all([1, 2, 3].map(() => startServer(t, env)))
  const [one, two, three] = servers
  const credentials = { email: newEmail(), password: PASSWORD }
  const pair = (await (await post(one, '/auth/signup', credentials)).json()) as TokenPair

  await t.test('50 refreshes at once with one token deliver exactly one successor', async () => {
    const refreshes = Array.from({ length: 50 }, async (_, index) => {
      const response = await post(servers[index % 3], '/auth/refresh', { refreshToken: pair.refreshToken })
      assert.equal(response.status, 200)
      return (await response.json()) as TokenPair
    })
    const successors = new Set((await Promise.all(refreshes)).map(({ refreshToken }) => refreshToken))
    assert.equal(successors.size, 1)
    const [successor] = successors
    assert.equal((await post(two, '/auth/refresh', { refreshToken: successor })).status, 200)
  })

  await t.test('a token of one is good at the others', async () => {
    for (const server of servers) assert.equal((await me(server, pair)).status, 200)
  })

  await t.test('a logout at one is in force at the others', async () => {
    const response = await post(three, '/auth/logout', { refreshToken: pair.refreshToken })
    assert.equal(response.status, 204)
    for (const server of servers) await until(async () => (await me(server, pair)).status === 401)
  })

  await t.test('theft that is found by one ends the session at all of them', async () => {
    const stolen = (await (await post(one, '/auth/login', credentials)).json()) as TokenPair
    const second = (await (
      await post(two, '/auth/refresh', { refreshToken: stolen.refreshToken })
    ).json()) as TokenPair
    const third = (await (
      await post(three, '/auth/refresh', { refreshToken: second.refreshToken })
    ).json()) as TokenPair
    // Two generations old: spent, and outside what the grace covers.
    assert.equal((await post(one, '/auth/refresh', { refreshToken: stolen.refreshToken })).status, 401)
    for (const server of servers) {
      await until(async () => (await me(server, third)).status === 401)
      assert.equal((await post(server, '/auth/refresh', { refreshToken: third.refreshToken })).status, 401)
    }
  })
})
