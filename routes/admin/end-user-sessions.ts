import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { NoContent, problems } from '../../src/schemas/responses.ts'
import { IdParams } from '../../src/schemas/users.ts'

export const endUserSessions: FastifyPluginAsyncTypebox = async (app) => {
  app.delete(
    '/admin/users/:id/sessions',
    {
      config: { allowEmptyJson: true },
      schema: {
        summary: 'End all sessions of a user',
        tags: ['admin'],
        params: IdParams,
        response: { 204: NoContent, ...problems(400, 401, 403, 404, 415, 503) },
      },
    },
    async (request, reply) => {
      await app.administration.revokeSessions(request.params.id, request.administrator)
      return reply.code(204).send(null)
    },
  )
}
