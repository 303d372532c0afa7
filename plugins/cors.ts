import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

export interface CorsOptions {
  /** Exact origins. CORS is off if empty. */
  corsOrigins: readonly string[]
}

const REQUEST_HEADERS =
  'authorization, content-type, idempotency-key, x-known-device, x-token-delivery'
const RESPONSE_HEADERS = 'retry-after, www-authenticate, x-known-device'
/** Seconds that a browser may cache the response to a preflight. */
const MAX_AGE = 600

/**
 * Lets pages of these origins call the routes that are registered after this plugin, with cookies,
 * and read the responses (Fetch, CORS protocol). Each path gets an `OPTIONS` route of its own: a
 * wildcard route would also respond for paths of an embedding application.
 */
export const cors = fp(
  async (app, { corsOrigins }: CorsOptions) => {
    if (corsOrigins.length === 0) return
    const methodsByPath = new Map<string, Set<string>>()

    function allow(request: FastifyRequest, reply: FastifyReply): boolean {
      const vary = reply.getHeader('vary')
      reply.header('vary', vary ? `${vary}, Origin` : 'Origin')
      const { origin } = request.headers
      if (!origin || !corsOrigins.includes(origin)) return false
      reply
        .header('access-control-allow-origin', origin)
        .header('access-control-allow-credentials', 'true')
        .header('access-control-expose-headers', RESPONSE_HEADERS)
      return true
    }

    app.addHook('onRequest', (request, reply, done) => {
      if (request.method !== 'OPTIONS') allow(request, reply)
      done()
    })

    app.addHook('onRoute', ({ path, method }) => {
      const added = [method].flat().filter((name) => name !== 'OPTIONS')
      const known = methodsByPath.get(path)
      for (const name of added) known?.add(name)
      if (known || added.length === 0) return
      const methods = new Set(added)
      methodsByPath.set(path, methods)
      const url = path.slice(app.prefix.length)
      app.options(url, { schema: { hide: true } }, async (request, reply) => {
        if (allow(request, reply)) {
          reply.header('access-control-allow-methods', [...methods].join(', '))
          reply.header('access-control-allow-headers', REQUEST_HEADERS)
          reply.header('access-control-max-age', MAX_AGE)
        }
        return reply.code(204).send()
      })
    })
  },
  { name: 'pawl-cors' },
)
