import type { TestContext } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { loadConfig } from '../../src/config/config.ts'
import { buildServer } from '../../src/server.ts'
import { cleanUp } from './clean-up.ts'
import { type Env, environment } from './environment.ts'

/** Builds the production server in this process, ready for `inject`. It closes after the test. */
export async function build(
  t: TestContext,
  overrides: Env = {},
  clock?: () => number,
): Promise<FastifyInstance> {
  const env = { LOG_LEVEL: 'fatal', ...(await environment(t, overrides)) }
  const app = await buildServer(loadConfig(env), clock)
  cleanUp(t, () => app.close())
  await app.ready()
  return app
}
