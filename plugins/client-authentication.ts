import type { onRequestAsyncHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { createClientCheck, type IntrospectionClient } from '../src/config/introspection-clients.ts'
import { PawlError } from '../src/errors.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** onRequest: 401 without the credentials of a client, before anything else of the request is looked at. */
    authenticateClient: onRequestAsyncHookHandler
  }
}

export interface ClientAuthenticationOptions {
  introspectionClients: readonly IntrospectionClient[]
}

/** Decorates the instance with `authenticateClient`: HTTP Basic, for programs. */
export const clientAuthentication = fp(
  async (app, { introspectionClients }: ClientAuthenticationOptions) => {
    const isClient = createClientCheck(introspectionClients)
    app.decorate('authenticateClient', async ({ headers }) => {
      if (!isClient(headers.authorization)) throw new PawlError('AUTH_INVALID_CLIENT')
    })
  },
  { name: 'pawl-client-authentication' },
)
