import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { problems } from '../../src/schemas/responses.ts'
import { NewUser, UserPage, UserQuery, UserView } from '../../src/schemas/users.ts'
import { administratorOf } from './administrator.ts'

export const adminUsers: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/admin/users',
    {
      config: { bearer: true },
      preHandler: app.authorize({ roles: ['admin'] }),
      schema: {
        summary: 'Users, in the order of their addresses',
        tags: ['admin'],
        querystring: UserQuery,
        response: { 200: UserPage, ...problems(400, 401, 403, 503) },
      },
    },
    async (request) => app.administration.list(request.query),
  )

  app.post(
    '/admin/users',
    {
      config: { bearer: true },
      preHandler: app.authorize({ roles: ['admin'], fresh: true }),
      schema: {
        summary: 'Make a user',
        tags: ['admin'],
        body: NewUser,
        response: { 201: UserView, ...problems(400, 401, 403, 409, 413, 415, 503) },
      },
    },
    async (request, reply) => {
      reply.code(201)
      return app.administration.create(request.body, administratorOf(request))
    },
  )
}
