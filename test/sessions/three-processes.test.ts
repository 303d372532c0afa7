import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { environment } from '../support/environment.ts'
import { startServer } from '../support/server-process.ts'
import { me, pairOf, post, signUpAt } from '../support/server-requests.ts'
import { until } from '../support/until.ts'

test('Three processes on one Redis act as one', async (t) => {
  const env = await environment(t)
  const servers = (await Promise.all([1, 2, 3].map(() => startServer(t, env)))).map(
    ({ url }) => url,
  )
  const [one, two, three] = servers as [string, string, string]
  const credentials = { email: newEmail(), password: PASSWORD }
  const pair = await signUpAt(one, credentials)

  await t.test('50 refreshes at once with one token get exactly one successor', async () => {
    const refreshes = Array.from({ length: 50 }, async (_, index) => {
      const response = await post(servers[index % 3] ?? one, '/auth/refresh', {
        refreshToken: pair.refreshToken,
      })
      return pairOf(response)
    })
    const successors = new Set(
      (await Promise.all(refreshes)).map(({ refreshToken }) => refreshToken),
    )
    assert.equal(successors.size, 1)
    const [successor] = successors
    assert.equal((await post(two, '/auth/refresh', { refreshToken: successor })).status, 200)
  })

  await t.test('An access token of one is accepted by the others', async () => {
    for (const server of servers) assert.equal((await me(server, pair.accessToken)).status, 200)
  })

  await t.test('A logout at one is in force at the others', async () => {
    const response = await post(three, '/auth/logout', { refreshToken: pair.refreshToken })
    assert.equal(response.status, 204)
    for (const server of servers)
      await until(async () => (await me(server, pair.accessToken)).status === 401)
  })

  await t.test('Theft that one detects revokes the session at all of them', async () => {
    const stolen = await pairOf(await post(one, '/auth/login', credentials))
    const second = await pairOf(
      await post(two, '/auth/refresh', { refreshToken: stolen.refreshToken }),
    )
    const third = await pairOf(
      await post(three, '/auth/refresh', { refreshToken: second.refreshToken }),
    )
    // This token is two generations old, so it is spent and the grace period does not apply.
    assert.equal(
      (await post(one, '/auth/refresh', { refreshToken: stolen.refreshToken })).status,
      401,
    )
    for (const server of servers) {
      await until(async () => (await me(server, third.accessToken)).status === 401)
      assert.equal(
        (await post(server, '/auth/refresh', { refreshToken: third.refreshToken })).status,
        401,
      )
    }
  })
})
