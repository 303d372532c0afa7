import formbody from '@fastify/formbody'
import type { FastifyPluginAsync } from 'fastify'
import { callableBy } from '../caller.ts'
import { introspect } from './introspect.ts'
import { revoke } from './revoke.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether OAuth defines the route: its problem documents carry an `error` (RFC 6749 5.2). */
    oauth?: boolean
  }
}

export interface OauthOptions {
  /** Whether introspection is offered: there is a client that may call it. */
  introspection: boolean
}

/** Everything under `/oauth`. These routes accept forms, and nothing else, as OAuth demands. */
export const oauthRoutes: FastifyPluginAsync<OauthOptions> = async (app, { introspection }) => {
  app.addHook('onRequest', app.forbidCaching)
  // No other scope may accept forms: a page of any site can send one without a preflight.
  app.removeAllContentTypeParsers()
  await app.register(formbody)
  await app.register(revoke)
  if (introspection) await app.register(clientRoutes)
}

/** What only other services may call, behind one guard: the credentials of a client. */
const clientRoutes: FastifyPluginAsync = async (app) => {
  app.addHook('onRoute', callableBy('client'))
  app.addHook('onRequest', app.authenticateClient.introspection)
  await app.register(introspect)
}
