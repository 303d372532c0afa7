import helmet from '@fastify/helmet'
import fp from 'fastify-plugin'

/** For an API: its answers are to be read by programs, and never framed, sniffed or run. */
export const securityHeaders = fp(
  async (app) => {
    // An application that has helmet already has its own mind about these.
    if (app.hasReplyDecorator('helmet')) return
    await app.register(helmet, {
      contentSecurityPolicy: {
        useDefaults: false,
        directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      },
      referrerPolicy: { policy: 'no-referrer' },
    })
  },
  { name: 'pawl-security-headers' },
)
