import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { problems } from '../../src/schemas/responses.ts'
import { IdParams, UserView } from '../../src/schemas/users.ts'

export const getUser: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/admin/users/:id',
    {
      schema: {
        summary: 'Get a user',
        tags: ['admin'],
        params: IdParams,
        response: { 200: UserView, ...problems(401, 403, 404, 503) },
      },
    },
    async (request) => app.administration.find(request.params.id),
  )
}
