import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { TestContext } from 'node:test'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { loadConfig } from '../../src/config/config.ts'
import { buildServer } from '../../src/server.ts'
import { cleanUp } from './clean-up.ts'
import type { Env } from './environment.ts'

/**
 * Builds the production server and collects every route that is registered while it is built. The
 * hook is added when Fastify announces its new instance, before any plugin can register a route.
 */
export async function buildWithRoutes(t: TestContext, env: Env) {
  const routes: RouteOptions[] = []
  const watch = (message: unknown) => {
    const { fastify } = message as { fastify: FastifyInstance }
    fastify.addHook('onRoute', (route) => {
      routes.push(route)
    })
  }
  subscribe('fastify.initialization', watch)
  try {
    const app = await buildServer(loadConfig({ LOG_LEVEL: 'fatal', ...env }))
    cleanUp(t, () => app.close())
    await app.ready()
    return { app, routes }
  } finally {
    unsubscribe('fastify.initialization', watch)
  }
}
