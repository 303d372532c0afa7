import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { addressIn } from '../../src/http/client-address.ts'
import { problems } from '../../src/schemas/responses.ts'
import { NewSession } from '../../src/schemas/service.ts'
import { DeliveredTokens } from '../../src/schemas/token-pair.ts'

/** No rate limit: the service decides how often its users may log in. */
export const startSession: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/service/sessions',
    {
      schema: {
        summary: 'Start a session for a user whom a service has authenticated',
        description:
          'The user is created if needed. Roles that differ from those that Pawl knows are a ' +
          'change of roles, which revokes the access tokens of the user.',
        tags: ['service'],
        body: NewSession,
        response: {
          201: DeliveredTokens,
          ...problems(400, 401, 403, 409, 413, 415, 503),
        },
      },
    },
    async ({ body: { device, ...start } }, reply) => {
      const from = { ip: addressIn(device?.ip), userAgent: device?.userAgent }
      reply.code(201)
      return app.application.startFor(from, start)
    },
  )
}
