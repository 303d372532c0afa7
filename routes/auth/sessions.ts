import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { PawlError } from '../../src/errors.ts'
import { NoContent, problems } from '../../src/schemas/responses.ts'
import { EndQuery, SessionList } from '../../src/schemas/sessions.ts'
import { IdParams } from '../../src/schemas/users.ts'
import { authOf } from '../auth.ts'
import { deviceOf } from '../device.ts'
import { allowEmptyJson } from '../empty-json.ts'
import { listSessions } from './session-list.ts'

export const sessions: FastifyPluginAsyncTypebox = async (app) => {
  allowEmptyJson(app)
  const options = { config: { bearer: true }, preHandler: app.authenticate }

  app.get(
    '/auth/sessions',
    {
      ...options,
      schema: {
        summary: 'Where the user is logged in, the newest first',
        tags: ['auth'],
        response: { 200: SessionList, ...problems(401, 503) },
      },
    },
    async (request) => {
      const { userId, sessionId } = authOf(request)
      return listSessions(await app.sessions.list(userId), sessionId)
    },
  )

  app.delete(
    '/auth/sessions/:id',
    {
      ...options,
      schema: {
        summary: 'End one of his sessions, at once',
        tags: ['auth'],
        params: IdParams,
        response: { 204: NoContent, ...problems(400, 401, 404, 415, 503) },
      },
    },
    async (request, reply) => {
      const { userId } = authOf(request)
      if (!(await app.sessions.end(userId, request.params.id, 'ended_by_user')))
        throw new PawlError('NOT_FOUND', { detail: 'There is no such session.' })
      return reply.code(204).send(null)
    },
  )

  app.delete(
    '/auth/sessions',
    {
      ...options,
      schema: {
        summary: 'End all sessions of the user, or all but this one, at once',
        tags: ['auth'],
        querystring: EndQuery,
        response: { 204: NoContent, ...problems(400, 401, 415, 503) },
      },
    },
    async (request, reply) => {
      const which = request.query.except ? 'others' : 'all'
      await app.ownAccount.endSessions(authOf(request), which, deviceOf(request))
      return reply.code(204).send(null)
    },
  )
}
