import helmet from '@fastify/helmet'
import fp from 'fastify-plugin'

/** For an API: its answers are to be read by programs, and never framed, sniffed or run. */
export const securityHeaders = fp(
  async (app) => {
    // An application that has helmet already has its own mind about these.
    if (app.hasReplyDecorator('helmet')) return
    await app.register(helmet, {
      // The library would put it together anew for each answer.
      contentSecurityPolicy: false,
      referrerPolicy: { policy: 'no-referrer' },
    })
    app.addHook('onRequest', (_request, reply, done) => {
      reply.header('content-security-policy', "default-src 'none';frame-ancestors 'none'")
      done()
    })
  },
  { name: 'pawl-security-headers' },
)
