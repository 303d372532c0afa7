import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Accepted } from '../../src/schemas/recovery.ts'
import { problems } from '../../src/schemas/responses.ts'

export const sendVerification: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/auth/email/verification',
    {
      config: { allowEmptyJson: true, rateLimit: { max: 5, timeWindow: '1 minute' } },
      schema: {
        summary: 'Send the mail that verifies the e-mail address again',
        description:
          'The link of the mail before is not valid any more. At most five are sent within an hour.',
        tags: ['auth'],
        response: { 202: Accepted, ...problems(400, 401, 415, 429, 503) },
      },
    },
    async (request, reply) => {
      const auth = request.requireAuth()
      const address = await app.ownAccount.guessedName(auth)
      if (await app.guesses.allowsMail('verify', address))
        await app.emailAddresses.requestVerification(auth)
      return reply.code(202).send(undefined)
    },
  )
}
