/**
 * What arrives late, after its client was told that it did not happen, or went on with another node. Each time the client
 * has refreshed twice since: what is late presents a token that is long spent, and must not be taken for a thief.
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

test('a command that was held up on its way to Redis does nothing when it gets there', async (t) => {
  const env = await environment(t)
  const link = await createLink(() => Number(new URL(required('TEST_REDIS_URL')).port))
  cleanUp(t, () => link.close())
  const remote = await build(t, { ...env, REDIS_URL: `redis://127.0.0.1:${link.port}` })
  const near = await build(t, env)
  const { refreshToken } = await signUp(near)
  // The script is known at Redis: what is held up is the one command, whole.
  const other = (await refresh(remote, (await signUp(remote)).refreshToken)).json()

  link.hold()
  assert.equal((await refreshOnce(remote, refreshToken)).statusCode, 503)
  const third = await refreshTwice(near, refreshToken)
  link.heal()
  // By the same connection, and so behind what was held up.
  assert.equal((await refresh(remote, other.refreshToken)).statusCode, 200)
  assert.equal((await refresh(near, third)).statusCode, 200)
})

test('a request that waited at a server that was stopped is not carried out when the server goes on', async (t) => {
  const env = await environment(t)
  const stopped = await startServer(t, { ...env, REVOCATION_MAX_STALENESS: '1s' })
  const near = await build(t, env)
  const { refreshToken } = await signUp(near)
  const ask = (signal?: AbortSignal) =>
    fetch(`${stopped.url}/auth/refresh`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ refreshToken }),
      ...(signal && { signal }),
    })

  stopped.child.kill('SIGSTOP')
  await assert.rejects(ask(AbortSignal.timeout(1_500)))
  const third = await refreshTwice(near, refreshToken)
  stopped.child.kill('SIGCONT')
  await delay(300)
  assert.equal((await refresh(near, third)).statusCode, 200)
})
