import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { PawlError } from '../../src/errors.ts'
import { Me } from '../../src/schemas/me.ts'
import { problems } from '../../src/schemas/responses.ts'

export const me: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/auth/me',
    {
      config: { bearer: true },
      preHandler: app.authenticate,
      schema: {
        summary: 'Who the access token speaks for',
        tags: ['auth'],
        response: { 200: Me, ...problems(401, 503) },
      },
    },
    async ({ auth }) => {
      const account = auth && (await app.accounts.find(auth.userId))
      if (!account) throw new PawlError('AUTH_INVALID_TOKEN', { reason: 'account gone' })
      return { id: account.id, email: account.email, roles: auth.roles, sessionId: auth.sessionId }
    },
  )
}
