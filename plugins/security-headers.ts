import fp from 'fastify-plugin'
import { constantHeaders } from '../src/http/constant-headers.ts'

/** For an API: its answers are to be read by programs, and never framed, sniffed or run. */
export const securityHeaders = fp(
  async (app) => {
    // An application that has helmet already has its own mind about these.
    if (app.hasReplyDecorator('helmet')) return
    const headers = constantHeaders({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      },
    })
    app.addHook('onRequest', (_request, reply, done) => {
      reply.headers(headers)
      done()
    })
  },
  { name: 'pawl-security-headers' },
)
