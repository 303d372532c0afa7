import type { onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { API_HEADERS } from '../src/http/constant-headers.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** onRequest: responses that carry tokens must not be cached (RFC 6749 5.1), nor errors. */
    forbidCaching: onRequestHookHandler
  }
}

/**
 * Sets the security headers of an API, whose responses no browser may frame, sniff or run.
 * Decorates the instance with `forbidCaching`.
 */
export const securityHeaders = fp(
  async (app) => {
    app.decorate('forbidCaching', (_request, reply, done) => {
      reply.header('cache-control', 'no-store')
      done()
    })
    // An application with helmet has decided about these headers for itself.
    if (app.hasReplyDecorator('helmet')) return
    app.addHook('onRequest', (_request, reply, done) => {
      reply.headers(API_HEADERS)
      done()
    })
  },
  { name: 'pawl-security-headers' },
)
