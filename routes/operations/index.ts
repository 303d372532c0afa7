import type { FastifyPluginAsync } from 'fastify'
import { live } from './live.ts'
import { metrics } from './metrics.ts'
import { ready } from './ready.ts'

/** What the operator's own systems call: health checks and metrics. */
export const operationsRoutes: FastifyPluginAsync = async (app) => {
  for (const route of [live, ready, metrics]) await app.register(route)
}
