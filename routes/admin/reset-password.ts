import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Accepted } from '../../src/schemas/recovery.ts'
import { problems } from '../../src/schemas/responses.ts'
import { IdParams } from '../../src/schemas/users.ts'

export const resetUserPassword: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/admin/users/:id/password-reset',
    {
      config: { allowEmptyJson: true },
      schema: {
        summary: 'Send a user the mail with a link to set a new password',
        description:
          'The administrator learns neither the token nor the password. A user without a ' +
          'password can set one. A user without an e-mail address, or a disabled one, gets a 404.',
        tags: ['admin'],
        params: IdParams,
        response: { 202: Accepted, ...problems(400, 401, 403, 404, 415, 503) },
      },
    },
    async (request, reply) => {
      await app.passwordRecovery.start(request.params.id, request.administrator)
      return reply.code(202).send(undefined)
    },
  )
}
