import type { onRequestAsyncHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import type { Client } from '../src/config/clients.ts'
import { PawlError } from '../src/errors.ts'
import { createClientCheck } from '../src/http/basic-credentials.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** onRequest: 401 without the credentials of a client, before the body is read. */
    authenticateClient: Record<'introspection' | 'session', onRequestAsyncHookHandler>
  }
}

export interface ClientAuthenticationOptions {
  introspectionClients: readonly Client[]
  sessionClients: readonly Client[]
}

/** Decorates the instance with `authenticateClient`: HTTP Basic, for other services. */
export const clientAuthentication = fp(
  async (app, { introspectionClients, sessionClients }: ClientAuthenticationOptions) => {
    app.decorate('authenticateClient', {
      introspection: requireOneOf(introspectionClients),
      session: requireOneOf(sessionClients),
    })
  },
  { name: 'pawl-client-authentication' },
)

function requireOneOf(clients: readonly Client[]): onRequestAsyncHookHandler {
  const isClient = createClientCheck(clients)
  return async ({ headers }) => {
    if (!isClient(headers.authorization)) throw new PawlError('AUTH_INVALID_CLIENT')
  }
}
