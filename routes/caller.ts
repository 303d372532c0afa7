import type { FastifyContextConfig, RouteOptions } from 'fastify'

/** Returns an `onRoute` hook that states, for each route of its scope, who may call the route. */
export function callableBy(caller: NonNullable<FastifyContextConfig['caller']>) {
  return (route: RouteOptions): void => {
    route.config = { ...route.config, caller }
  }
}
