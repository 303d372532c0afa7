import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import Fastify, { type FastifyInstance } from 'fastify'
import { loadConfig, pawl } from '../../src/index.ts'
import { refresh, refreshOnce, signUp } from './app-requests.ts'
import { cleanUp } from './clean-up.ts'
import type { Env } from './environment.ts'
import { inject, retryUnavailable } from './retry-unavailable.ts'
import { until } from './until.ts'

/** Builds an application that registers Pawl and has two guarded routes of its own. */
export async function startNode(t: TestContext, env: Env): Promise<FastifyInstance> {
  const app = Fastify()
  cleanUp(t, () => app.close())
  await app.register(pawl, { config: loadConfig(env) })
  app.get('/guarded', { preHandler: app.authenticate }, async (request) => request.auth)
  app.get('/fresh', { preHandler: app.authorize({ fresh: true }) }, async (request) => request.auth)
  await app.ready()
  return app
}

const guarded = (app: FastifyInstance, accessToken: string, url: string) =>
  app.inject({ url, headers: { authorization: `Bearer ${accessToken}` } })

export async function status(
  app: FastifyInstance,
  accessToken: string,
  url = '/guarded',
): Promise<number> {
  return (await retryUnavailable(() => guarded(app, accessToken, url))).statusCode
}

/** Does not retry, for tests that expect a 503. */
export async function statusOnce(app: FastifyInstance, accessToken: string): Promise<number> {
  return (await guarded(app, accessToken, '/guarded')).statusCode
}

export async function logOut(app: FastifyInstance, refreshToken: string): Promise<number> {
  const logout = { method: 'POST', url: '/auth/logout', payload: { refreshToken } } as const
  return (await inject(app, logout)).statusCode
}

/** Asserts that two nodes share sessions: refresh, replay, theft and logout. */
export async function assertServes(one: FastifyInstance, other: FastifyInstance): Promise<void> {
  const first = await signUp(one)
  const second = (await refresh(other, first.refreshToken)).json()
  const again = (await refresh(one, first.refreshToken)).json()
  assert.equal(again.refreshToken, second.refreshToken)
  const third = (await refresh(one, second.refreshToken)).json()
  for (const app of [one, other]) {
    assert.equal(await status(app, third.accessToken), 200)
    assert.equal(await status(app, third.accessToken, '/fresh'), 200)
  }

  const { accessToken, refreshToken } = await signUp(other)
  assert.equal(await logOut(one, refreshToken), 204)
  assert.equal((await refresh(other, refreshToken)).statusCode, 401)
  assert.equal(await status(other, accessToken, '/fresh'), 401)

  assert.equal((await refresh(other, first.refreshToken)).statusCode, 401)
  assert.equal((await refresh(one, third.refreshToken)).statusCode, 401)
  for (const app of [one, other])
    for (const token of [accessToken, third.accessToken])
      await until(async () => (await status(app, token)) === 401)
}

/** Refreshes until it succeeds. Every response until then must be a 503, never a 401. */
export async function refreshWhenAvailable(app: FastifyInstance, refreshToken: string) {
  let response = await refreshOnce(app, refreshToken)
  while (response.statusCode !== 200) {
    assert.equal(response.statusCode, 503, response.body)
    response = await refreshOnce(app, refreshToken)
  }
  return response.json()
}
