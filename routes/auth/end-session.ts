import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { PawlError } from '../../src/errors.ts'
import { NoContent, problems } from '../../src/schemas/responses.ts'
import { IdParams } from '../../src/schemas/users.ts'

export const endSession: FastifyPluginAsyncTypebox = async (app) => {
  app.delete(
    '/auth/sessions/:id',
    {
      config: { allowEmptyJson: true },
      schema: {
        summary: "End one of the user's sessions",
        tags: ['auth'],
        params: IdParams,
        response: { 204: NoContent, ...problems(400, 401, 404, 415, 503) },
      },
    },
    async (request, reply) => {
      const { userId } = request.requireAuth()
      if (!(await app.sessions.end(userId, request.params.id, 'ended_by_user')))
        throw new PawlError('NOT_FOUND', { detail: 'There is no such session.' })
      return reply.code(204).send(null)
    },
  )
}
