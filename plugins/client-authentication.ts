import type { onRequestAsyncHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import type { IntrospectionClient } from '../src/config/introspection-clients.ts'
import { PawlError } from '../src/errors.ts'
import { createClientCheck } from '../src/http/basic-credentials.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** onRequest: 401 without the credentials of a client, before the body is read. */
    authenticateClient: onRequestAsyncHookHandler
  }
}

export interface ClientAuthenticationOptions {
  introspectionClients: readonly IntrospectionClient[]
}

/** Decorates the instance with `authenticateClient`: HTTP Basic, for other services. */
export const clientAuthentication = fp(
  async (app, { introspectionClients }: ClientAuthenticationOptions) => {
    const isClient = createClientCheck(introspectionClients)
    app.decorate('authenticateClient', async ({ headers }) => {
      if (!isClient(headers.authorization)) throw new PawlError('AUTH_INVALID_CLIENT')
    })
  },
  { name: 'pawl-client-authentication' },
)
