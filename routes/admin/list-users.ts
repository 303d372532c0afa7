import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { problems } from '../../src/schemas/responses.ts'
import { UserPage, UserQuery } from '../../src/schemas/users.ts'

export const listUsers: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/admin/users',
    {
      schema: {
        summary: 'List users, ordered by e-mail address',
        tags: ['admin'],
        querystring: UserQuery,
        response: { 200: UserPage, ...problems(400, 401, 403, 503) },
      },
    },
    async (request) => app.administration.list(request.query),
  )
}
