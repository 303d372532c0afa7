import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { NoContent, problems } from '../../src/schemas/responses.ts'
import { EndQuery } from '../../src/schemas/sessions.ts'

export const endSessions: FastifyPluginAsyncTypebox = async (app) => {
  app.delete(
    '/auth/sessions',
    {
      config: { allowEmptyJson: true },
      schema: {
        summary: "End all of the user's sessions, or all but this one",
        tags: ['auth'],
        querystring: EndQuery,
        response: { 204: NoContent, ...problems(400, 401, 415, 503) },
      },
    },
    async (request, reply) => {
      const which = request.query.except ? 'others' : 'all'
      await app.ownAccount.revokeSessions(request.requireAuth(), which, request.device)
      return reply.code(204).send(null)
    },
  )
}
