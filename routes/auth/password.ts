import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { PasswordChange } from '../../src/schemas/credentials.ts'
import { NoContent, problems } from '../../src/schemas/responses.ts'
import { authOf } from '../auth.ts'
import { deviceOf } from '../device.ts'

export const password: FastifyPluginAsyncTypebox = async (app) => {
  const { preHandler: refuseGuesses, onResponse } = app.limitGuesses

  // A guess is a guess, here or at the login: both are counted at the address.
  async function nameAccount(request: FastifyRequest): Promise<void> {
    request.guessedEmail = await app.ownAccount.email(authOf(request))
  }

  app.post(
    '/auth/password',
    {
      config: { bearer: true, rateLimit: { max: 20, timeWindow: '1 minute' } },
      preHandler: [app.authenticate, nameAccount, refuseGuesses],
      onResponse,
      schema: {
        summary: 'Change the password, and end every other session',
        description: 'The tokens of this session go on.',
        tags: ['auth'],
        body: PasswordChange,
        response: { 204: NoContent, ...problems(400, 401, 403, 413, 415, 429, 503) },
      },
    },
    async (request, reply) => {
      await app.ownAccount.changePassword(authOf(request), request.body, deviceOf(request))
      return reply.code(204).send(null)
    },
  )
}
