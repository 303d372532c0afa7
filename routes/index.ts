import type { FastifyPluginAsync } from 'fastify'
import { adminRoutes } from './admin/index.ts'
import { authRoutes } from './auth/index.ts'
import { discoveryRoutes } from './discovery/index.ts'
import { oauthRoutes } from './oauth/index.ts'
import { operationsRoutes } from './operations/index.ts'
import { serviceRoutes } from './service/index.ts'

export interface RoutesOptions {
  /** The public URL of this server. */
  issuer: string
  /** Whether introspection is offered: there is a client that may call it. */
  introspection: boolean
  /** Whether services may start sessions: there is a client that may. */
  service: boolean
}

/** Every route of Pawl, in its groups. */
export const routes: FastifyPluginAsync<RoutesOptions> = async (
  app,
  { issuer, introspection, service },
) => {
  await app.register(authRoutes)
  await app.register(adminRoutes)
  await app.register(oauthRoutes, { introspection })
  if (service) await app.register(serviceRoutes)
  await app.register(discoveryRoutes, { issuer, introspection })
  await app.register(operationsRoutes)
}
