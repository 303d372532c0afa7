/**
 * Commands and requests that arrive late, after their client got an error or used another node.
 * Each time the client has refreshed twice in the meantime, so the late one presents a token that
 * was spent long ago. It must not be taken for theft.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { createLink } from '../faults/link.ts'
import { refresh, refreshOnce, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { environment, required } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { startServer } from '../support/server-process.ts'

async function refreshTwice(app: FastifyInstance, refreshToken: string): Promise<string> {
  const second = (await refresh(app, refreshToken)).json()
  return (await refresh(app, second.refreshToken)).json().refreshToken
}

test('A command that is delayed on its way to Redis has no effect when it arrives', async (t) => {
  const env = await environment(t)
  const link = await createLink(() => Number(new URL(required('TEST_REDIS_URL')).port))
  cleanUp(t, () => link.close())
  const remote = await build(t, { ...env, REDIS_URL: `redis://127.0.0.1:${link.port}` })
  const near = await build(t, env)
  const { refreshToken } = await signUp(near)
  // Redis has the script after this. So a single command is delayed, and it is complete.
  const other = (await refresh(remote, (await signUp(remote)).refreshToken)).json()

  link.hold()
  assert.equal((await refreshOnce(remote, refreshToken)).statusCode, 503)
  const third = await refreshTwice(near, refreshToken)
  link.heal()
  // This uses the same connection, so Redis receives it after the delayed command.
  assert.equal((await refresh(remote, other.refreshToken)).statusCode, 200)
  assert.equal((await refresh(near, third)).statusCode, 200)
})

test('A request that arrived while its server was stopped has no effect later', async (t) => {
  const env = await environment(t)
  const server = await startServer(t, { ...env, REVOCATION_MAX_STALENESS: '1s' })
  const near = await build(t, env)
  const { refreshToken } = await signUp(near)
  const ask = (signal?: AbortSignal) =>
    fetch(`${server.url}/auth/refresh`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ refreshToken }),
      ...(signal && { signal }),
    })

  server.child.kill('SIGSTOP')
  await assert.rejects(ask(AbortSignal.timeout(1_500)))
  const third = await refreshTwice(near, refreshToken)
  server.child.kill('SIGCONT')
  await delay(300)
  assert.equal((await refresh(near, third)).statusCode, 200)
})
