import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { LoginHeaders } from '../../src/schemas/delivery.ts'
import { PasswordReset } from '../../src/schemas/recovery.ts'
import { NoContent, problems } from '../../src/schemas/responses.ts'

export const resetPassword: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/auth/password/reset',
    {
      config: { rateLimit: { max: 20, timeWindow: '1 minute' } },
      schema: {
        summary: 'Set a new password with the token of a mail',
        description:
          'Every session of the user ends, and a mail tells them so. A password that is not ' +
          'acceptable does not use up the token. The device is known to later logins, as after a login.',
        tags: ['auth'],
        headers: LoginHeaders,
        body: PasswordReset,
        response: { 204: NoContent, ...problems(400, 413, 415, 429, 503) },
      },
    },
    async (request, reply) => {
      const address = await app.passwordRecovery.reset(request.body, request.device)
      await app.guesses.forget(address)
      // The user is about to log in here, and strangers may have begun to guess again.
      app.guesses.remember(request, reply, address)
      return reply.code(204).send(null)
    },
  )
}
