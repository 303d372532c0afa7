import type { TestContext } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { loadConfig } from '../../src/config/config.ts'
import type { TokenPair } from '../../src/embedding/views.ts'
import { buildServer } from '../../src/server.ts'
import { signUp } from './app-requests.ts'
import { cleanUp } from './clean-up.ts'
import type { TestClock } from './clock.ts'
import { type Env, environment } from './environment.ts'

export interface Listening {
  app: FastifyInstance
  url: string
  env: Env
  /** The first session of a user. */
  pair: TokenPair & { email: string }
}

/** Starts the production server on a port in this process, with one user. */
export async function listen(
  t: TestContext,
  clock?: TestClock,
  overrides: Env = {},
): Promise<Listening> {
  const env = await environment(t, { LOG_LEVEL: 'fatal', ...overrides })
  const app = await buildServer(loadConfig(env), clock)
  cleanUp(t, () => app.close())
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return { app, url, env, pair: await signUp(app) }
}
