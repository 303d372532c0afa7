import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { problems } from '../../src/schemas/responses.ts'
import { IdParams, UserPatch, UserView } from '../../src/schemas/users.ts'

export const changeUser: FastifyPluginAsyncTypebox = async (app) => {
  app.patch(
    '/admin/users/:id',
    {
      config: { allowEmptyJson: true },
      schema: {
        summary: 'Change the roles of a user, or disable or enable the user',
        description:
          "The user's access tokens are revoked at once. After a 503 the change may have been " +
          'made: the request can be repeated without harm.',
        tags: ['admin'],
        params: IdParams,
        body: UserPatch,
        response: { 200: UserView, ...problems(400, 401, 403, 404, 409, 413, 415, 503) },
      },
    },
    async (request) =>
      app.administration.change(request.params.id, request.body, request.administrator),
  )
}
