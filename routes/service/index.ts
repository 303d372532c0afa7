import type { FastifyPluginAsync } from 'fastify'
import { callableBy } from '../caller.ts'
import { startSession } from './start-session.ts'

/** What only trusted services may call, behind one guard: the credentials of a client. */
export const serviceRoutes: FastifyPluginAsync = async (app) => {
  app.addHook('onRoute', callableBy('client'))
  app.addHook('onRequest', app.forbidCaching)
  app.addHook('onRequest', app.authenticateClient.session)
  await app.register(startSession)
}
