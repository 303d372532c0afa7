import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { problems } from '../../src/schemas/responses.ts'
import { SessionList, toSessionList } from '../../src/schemas/sessions.ts'

export const listSessions: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/auth/sessions',
    {
      schema: {
        summary: "List the user's live sessions, newest first",
        tags: ['auth'],
        response: { 200: SessionList, ...problems(401, 503) },
      },
    },
    async (request) => {
      const { userId, sessionId } = request.requireAuth()
      return toSessionList(await app.sessions.list(userId), sessionId)
    },
  )
}
