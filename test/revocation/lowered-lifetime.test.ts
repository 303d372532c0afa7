import assert from 'node:assert/strict'
import { test } from 'node:test'
import { me, signUp } from '../support/app-requests.ts'
import { createClock } from '../support/clock.ts'
import { environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { logOut } from '../support/nodes.ts'
import { until } from '../support/until.ts'

test('A revoked token stays revoked at a node with a shorter ACCESS_TOKEN_TTL', async (t) => {
  const clock = createClock()
  const env = await environment(t)
  const long = await build(t, { ...env, ACCESS_TOKEN_TTL: '15m' }, clock)
  const { accessToken, refreshToken } = await signUp(long)
  const short = await build(t, { ...env, ACCESS_TOKEN_TTL: '1s' }, clock)
  assert.equal((await me(short, accessToken)).statusCode, 200)
  assert.equal(await logOut(long, refreshToken), 204)
  const restarted = await build(t, { ...env, ACCESS_TOKEN_TTL: '1s' }, clock)
  const nodes = [long, short, restarted]
  for (const node of nodes)
    await until(async () => (await me(node, accessToken)).statusCode === 401)

  // Each node removes entries that have expired when it adds another one.
  clock.advance(70_000)
  const other = await signUp(long)
  assert.equal(await logOut(long, other.refreshToken), 204)
  for (const node of nodes) {
    await until(async () => (await me(node, other.accessToken)).statusCode === 401)
    assert.equal((await me(node, accessToken)).statusCode, 401)
  }
})
