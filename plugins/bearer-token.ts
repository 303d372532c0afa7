import fastifyJwt from '@fastify/jwt'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /** Returns the bearer token of a request (RFC 6750 2.1), or undefined if it has none. */
    bearerToken(request: FastifyRequest): string | undefined
  }
}

/**
 * Decorates the instance with `bearerToken`. @fastify/jwt finds the token in the request. Tokens
 * are verified in src/keys, which has several keys at a time: see docs/adr/0012.
 */
export const bearerToken = fp(
  async (app) => {
    await app.register(fastifyJwt, {
      secret: { public: refuseToVerify },
      // An application that embeds Pawl may have a `user` of its own on its requests.
      decoratorName: 'pawlUser',
    })

    app.decorate('bearerToken', (request: FastifyRequest) => {
      const { authorization } = request.headers
      if (!authorization) return undefined
      try {
        return app.jwt.lookupToken(request)
      } catch {
        // @fastify/jwt refuses several spaces, which RFC 9110 11.4 allows. Whatever else stands
        // here is refused when it is verified.
        return authorization.match(/^Bearer +(\S.*)$/i)?.[1]
      }
    })
  },
  { name: 'pawl-bearer-token' },
)

/** A verified token may be revoked, so `request.jwtVerify` must not replace `authenticate`. */
async function refuseToVerify(): Promise<never> {
  throw new Error('use the decorator `authenticate`, which also checks for revocation')
}
