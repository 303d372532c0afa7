import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { NoContent, problems } from '../../src/schemas/responses.ts'
import { IdParams } from '../../src/schemas/users.ts'

export const deleteUser: FastifyPluginAsyncTypebox = async (app) => {
  app.delete(
    '/admin/users/:id',
    {
      config: { allowEmptyJson: true },
      schema: {
        summary: "Delete a user and end all of the user's sessions",
        tags: ['admin'],
        params: IdParams,
        response: { 204: NoContent, ...problems(400, 401, 403, 404, 409, 415, 503) },
      },
    },
    async (request, reply) => {
      await app.administration.remove(request.params.id, request.administrator)
      return reply.code(204).send(null)
    },
  )
}
