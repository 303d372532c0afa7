import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

export interface CorsOptions {
  /** Exact; none is none. */
  corsOrigins: readonly string[]
}

const REQUEST_HEADERS = 'authorization, content-type, idempotency-key, x-token-delivery'
const ANSWER_HEADERS = 'retry-after, www-authenticate'
/** Seconds that a browser may remember a preflight's answer. */
const REMEMBERED = 600

/**
 * Lets pages of these origins call the routes that are registered after it, with cookies, and read the answers (Fetch,
 * CORS protocol). Each path gets an `OPTIONS` of its own: one for all would also answer for the application's.
 */
export const cors = fp(
  async (app, { corsOrigins }: CorsOptions) => {
    if (corsOrigins.length === 0) return
    const methods = new Map<string, Set<string>>()

    function allow(request: FastifyRequest, reply: FastifyReply): boolean {
      const vary = reply.getHeader('vary')
      reply.header('vary', vary ? `${vary}, Origin` : 'Origin')
      const { origin } = request.headers
      if (!origin || !corsOrigins.includes(origin)) return false
      reply
        .header('access-control-allow-origin', origin)
        .header('access-control-allow-credentials', 'true')
      reply.header('access-control-expose-headers', ANSWER_HEADERS)
      return true
    }

    app.addHook('onRequest', (request, reply, done) => {
      if (request.method !== 'OPTIONS') allow(request, reply)
      done()
    })

    app.addHook('onRoute', ({ path, method }) => {
      const added = [method].flat().filter((name) => name !== 'OPTIONS')
      const known = methods.get(path)
      for (const name of added) known?.add(name)
      if (known || added.length === 0) return
      const here = new Set(added)
      methods.set(path, here)
      const url = path.slice(app.prefix.length)
      app.options(url, { schema: { hide: true } }, async (request, reply) => {
        if (allow(request, reply)) {
          reply.header('access-control-allow-methods', [...here].join(', '))
          reply.header('access-control-allow-headers', REQUEST_HEADERS)
          reply.header('access-control-max-age', REMEMBERED)
        }
        return reply.code(204).send()
      })
    })
  },
  { name: 'pawl-cors' },
)
