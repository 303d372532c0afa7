import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { problems } from '../../src/schemas/responses.ts'
import { SessionList, toSessionList } from '../../src/schemas/sessions.ts'
import { IdParams } from '../../src/schemas/users.ts'

export const listUserSessions: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/admin/users/:id/sessions',
    {
      schema: {
        summary: 'List the live sessions of a user, newest first',
        tags: ['admin'],
        params: IdParams,
        response: { 200: SessionList, ...problems(401, 403, 404, 503) },
      },
    },
    async (request) => {
      const sessions = await app.administration.listSessions(request.params.id)
      return toSessionList(sessions, request.requireAuth().sessionId)
    },
  )
}
