import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { PawlError } from '../../src/errors.ts'
import { Me } from '../../src/schemas/me.ts'
import { problems } from '../../src/schemas/responses.ts'

export const me: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/auth/me',
    {
      schema: {
        summary: 'Get the user whom the access token belongs to',
        tags: ['auth'],
        response: { 200: Me, ...problems(401, 503) },
      },
    },
    async (request) => {
      const { userId, sessionId, roles } = request.requireAuth()
      const account = await app.accounts.find(userId)
      if (!account) throw new PawlError('AUTH_INVALID_TOKEN', { reason: 'account deleted' })
      const { id, email, emailVerified } = account
      return { id, ...(email && { email, emailVerified }), roles, sessionId }
    },
  )
}
