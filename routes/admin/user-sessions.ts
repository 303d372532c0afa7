import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { NoContent, problems } from '../../src/schemas/responses.ts'
import { SessionList } from '../../src/schemas/sessions.ts'
import { IdParams } from '../../src/schemas/users.ts'
import { listSessions } from '../auth/session-list.ts'
import { authOf } from '../auth.ts'
import { allowEmptyJson } from '../empty-json.ts'
import { administratorOf } from './administrator.ts'

export const adminUserSessions: FastifyPluginAsyncTypebox = async (app) => {
  allowEmptyJson(app)

  app.get(
    '/admin/users/:id/sessions',
    {
      config: { bearer: true },
      preHandler: app.authorize({ roles: ['admin'] }),
      schema: {
        summary: 'Where a user is logged in, the newest first',
        tags: ['admin'],
        params: IdParams,
        response: { 200: SessionList, ...problems(401, 403, 404, 503) },
      },
    },
    async (request) =>
      listSessions(await app.administration.sessions(request.params.id), authOf(request).sessionId),
  )

  app.delete(
    '/admin/users/:id/sessions',
    {
      config: { bearer: true },
      preHandler: app.authorize({ roles: ['admin'], fresh: true }),
      schema: {
        summary: 'End all sessions of a user, at once',
        tags: ['admin'],
        params: IdParams,
        response: { 204: NoContent, ...problems(400, 401, 403, 404, 415, 503) },
      },
    },
    async (request, reply) => {
      await app.administration.endSessions(request.params.id, administratorOf(request))
      return reply.code(204).send(null)
    },
  )
}
