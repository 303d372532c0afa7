import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Accepted, ForgottenPassword } from '../../src/schemas/recovery.ts'
import { problems } from '../../src/schemas/responses.ts'

export const forgotPassword: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/auth/password/forgot',
    {
      config: { rateLimit: { max: 10, timeWindow: '1 minute' } },
      schema: {
        summary: 'Send a mail with a link to set a new password',
        description:
          'The response is the same whether or not there is such an account, and whether or not ' +
          'a mail is sent: an address gets at most five within an hour.',
        tags: ['auth'],
        body: ForgottenPassword,
        response: { 202: Accepted, ...problems(400, 413, 415, 429, 503) },
      },
    },
    async (request, reply) => {
      const { email } = request.body
      if (await app.guesses.allowsMail('reset', email)) await app.passwordRecovery.forgot(email)
      return reply.code(202).send(undefined)
    },
  )
}
