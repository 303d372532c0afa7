import type { FastifyPluginAsync } from 'fastify'
import type { RouteGroup } from '../src/http/route-groups.ts'
import { adminRoutes } from './admin/index.ts'
import { authRoutes } from './auth/index.ts'
import { discoveryRoutes } from './discovery/index.ts'
import { oauthRoutes } from './oauth/index.ts'
import { healthRoutes } from './operations/health.ts'
import { metrics } from './operations/metrics.ts'
import { serviceRoutes } from './service/index.ts'

export interface RoutesOptions {
  /** The public URL of this server. */
  issuer: string
  /** Which groups are mounted. */
  mounted: Record<RouteGroup, boolean>
  /** Whether introspection is offered: there is a client that may call it. */
  introspection: boolean
  /** Whether services may start sessions: there is a client that may. */
  service: boolean
}

/** Every route of Pawl, in its groups. */
export const routes: FastifyPluginAsync<RoutesOptions> = async (
  app,
  { issuer, mounted, introspection, service },
) => {
  await app.register(authRoutes, { login: mounted.login })
  if (mounted.admin) await app.register(adminRoutes)
  if (mounted.oauth) await app.register(oauthRoutes, { introspection })
  if (mounted.service && service) await app.register(serviceRoutes)
  if (mounted.discovery)
    await app.register(discoveryRoutes, { issuer, oauth: mounted.oauth, introspection })
  if (mounted.health) await app.register(healthRoutes)
  if (mounted.metrics) await app.register(metrics)
}
