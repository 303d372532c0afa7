import type { TestContext } from 'node:test'
import Fastify, { type FastifyInstance } from 'fastify'
import { loadConfig, type PawlOptions, pawl } from '../../src/index.ts'
import { cleanUp } from './clean-up.ts'
import { type Env, environment } from './environment.ts'

export interface HostOptions extends Omit<PawlOptions, 'config'> {
  overrides?: Env
  /** Adds the routes of the application, after Pawl is registered. */
  extend?: (host: FastifyInstance) => void
}

/** Builds an application that has registered Pawl. It closes after the test. */
export async function buildHost(
  t: TestContext,
  { overrides, extend, ...options }: HostOptions = {},
): Promise<{ host: FastifyInstance; env: Env }> {
  const env = await environment(t, overrides)
  // The first start of the embedded default takes a while.
  const host = Fastify({ pluginTimeout: 60_000 })
  cleanUp(t, () => host.close())
  await host.register(pawl, { config: loadConfig(env), ...options })
  extend?.(host)
  await host.ready()
  return { host, env }
}
