import type { FastifyPluginAsync } from 'fastify'
import { live } from './live.ts'
import { ready } from './ready.ts'

/** What load balancers and orchestrators ask. */
export const healthRoutes: FastifyPluginAsync = async (app) => {
  await app.register(live)
  await app.register(ready)
}
