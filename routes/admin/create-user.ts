import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { problems } from '../../src/schemas/responses.ts'
import { NewUser, UserView } from '../../src/schemas/users.ts'

export const createUser: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/admin/users',
    {
      schema: {
        summary: 'Create a user',
        tags: ['admin'],
        body: NewUser,
        response: { 201: UserView, ...problems(400, 401, 403, 409, 413, 415, 503) },
      },
    },
    async (request, reply) => {
      reply.code(201)
      return app.administration.create(request.body, request.administrator)
    },
  )
}
