import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { NoContent, problems } from '../../src/schemas/responses.ts'

export const deleteAccount: FastifyPluginAsyncTypebox = async (app) => {
  app.delete(
    '/auth/me',
    {
      config: { allowEmptyJson: true },
      preHandler: app.authorize({ maxAge: '5m', fresh: true }),
      schema: {
        summary: 'Delete the account and its sessions',
        description: 'The login must be at most five minutes ago. This cannot be undone.',
        tags: ['auth'],
        response: { 204: NoContent, ...problems(400, 401, 409, 415, 503) },
      },
    },
    async (request, reply) => {
      const auth = request.requireAuth()
      const byCookie = await app.refreshCookie.holds(request, auth.sessionId)
      await app.ownAccount.remove(auth, request.device)
      if (byCookie) app.refreshCookie.clear(request, reply)
      return reply.code(204).send(null)
    },
  )
}
