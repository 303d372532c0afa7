import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { NoContent, problems } from '../../src/schemas/responses.ts'
import { IdParams, UserPatch, UserView } from '../../src/schemas/users.ts'
import { allowEmptyJson } from '../empty-json.ts'
import { administratorOf } from './administrator.ts'

export const adminUser: FastifyPluginAsyncTypebox = async (app) => {
  allowEmptyJson(app)

  app.get(
    '/admin/users/:id',
    {
      config: { bearer: true },
      preHandler: app.authorize({ roles: ['admin'] }),
      schema: {
        summary: 'A user',
        tags: ['admin'],
        params: IdParams,
        response: { 200: UserView, ...problems(401, 403, 404, 503) },
      },
    },
    async (request) => app.administration.find(request.params.id),
  )

  app.patch(
    '/admin/users/:id',
    {
      config: { bearer: true },
      preHandler: app.authorize({ roles: ['admin'], fresh: true }),
      schema: {
        summary: 'Change the roles of a user, disable or enable him',
        description:
          'His access tokens are dead at once. After a 503 it may have happened: repeat it, that does no harm.',
        tags: ['admin'],
        params: IdParams,
        body: UserPatch,
        response: { 200: UserView, ...problems(400, 401, 403, 404, 409, 413, 415, 503) },
      },
    },
    async (request) =>
      app.administration.change(request.params.id, request.body, administratorOf(request)),
  )

  app.delete(
    '/admin/users/:id',
    {
      config: { bearer: true },
      preHandler: app.authorize({ roles: ['admin'], fresh: true }),
      schema: {
        summary: 'Delete a user, with his sessions, at once',
        tags: ['admin'],
        params: IdParams,
        response: { 204: NoContent, ...problems(400, 401, 403, 404, 409, 415, 503) },
      },
    },
    async (request, reply) => {
      await app.administration.remove(request.params.id, administratorOf(request))
      return reply.code(204).send(null)
    },
  )
}
