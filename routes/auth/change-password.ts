import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { PasswordChange } from '../../src/schemas/credentials.ts'
import { NoContent, problems } from '../../src/schemas/responses.ts'

export const changePassword: FastifyPluginAsyncTypebox = async (app) => {
  const { preHandler: refuseGuesses, onResponse } = app.limitGuesses

  // A wrong guess counts against the account's address, at the login and here.
  async function nameAccount(request: FastifyRequest): Promise<void> {
    request.guessedEmail = await app.ownAccount.email(request.requireAuth())
  }

  app.post(
    '/auth/password',
    {
      config: { rateLimit: { max: 20, timeWindow: '1 minute' } },
      preHandler: [nameAccount, refuseGuesses],
      onResponse,
      schema: {
        summary: 'Change the password and end every other session of the user',
        description: 'The tokens of this session stay valid.',
        tags: ['auth'],
        body: PasswordChange,
        response: { 204: NoContent, ...problems(400, 401, 403, 413, 415, 429, 503) },
      },
    },
    async (request, reply) => {
      await app.ownAccount.changePassword(request.requireAuth(), request.body, request.device)
      return reply.code(204).send(null)
    },
  )
}
