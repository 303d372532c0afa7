import type { FastifyInstance } from 'fastify'
import { groupOf } from './route-groups.ts'

const DECORATORS = ['authenticate', 'authorize', 'pawl']
const REQUEST_DECORATORS = ['auth']

/** Throws if the application has registered Pawl without its configuration. */
export function requireConfig(options: { config?: unknown }): void {
  if (options.config) return
  throw new TypeError(
    'Pawl needs its configuration: register(pawl, { config: loadConfig(process.env) })',
  )
}

/** Throws if the application has a decorator of a name that Pawl adds. */
export function requireFreeNames(host: FastifyInstance): void {
  const taken = [
    ...DECORATORS.filter((name) => host.hasDecorator(name)).map((name) => `"${name}"`),
    ...REQUEST_DECORATORS.filter((name) => host.hasRequestDecorator(name)).map(
      (name) => `"request.${name}"`,
    ),
  ]
  if (taken.length === 0) return
  throw new Error(
    `Pawl adds the decorators ${taken.join(', ')}, and the application has them already. Rename ` +
      'those of the application, and do not register Pawl twice in one scope.',
  )
}

/**
 * Returns an error that says how to avoid the collision, if the error is about one of routes. The
 * prefix is that of all routes of Pawl, with the one of the scope in which Pawl is registered.
 */
export function explainCollision(error: unknown, prefix = ''): unknown {
  const { code, message } = Object(error) as { code?: unknown; message?: string }
  if (code !== 'FST_ERR_DUPLICATED_ROUTE') return error
  const [, method, url] = /'(\w+)' already declared for route '([^']*)'/.exec(message ?? '') ?? []
  const base = prefix.replace(/\/+$/, '')
  const path = url?.startsWith(base) ? url.slice(base.length) : url
  const group = groupOf(path ?? '')
  const remedy = group ? `routes: { ${group}: false }, or with another prefix` : 'another prefix'
  return new Error(
    `The application has a route ${method} ${url} already, and Pawl adds one. Register Pawl with ` +
      `${remedy}, or rename the route of the application.`,
    { cause: error },
  )
}
