import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { AddressProof } from '../../src/schemas/recovery.ts'
import { NoContent, problems } from '../../src/schemas/responses.ts'

export const verifyEmail: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/auth/email/verify',
    {
      config: { rateLimit: { max: 20, timeWindow: '1 minute' } },
      schema: {
        summary: 'Verify an e-mail address with the token of a mail',
        description: 'After a request to change the address, the new one is in force from now on.',
        tags: ['auth'],
        body: AddressProof,
        response: { 204: NoContent, ...problems(400, 409, 413, 415, 429, 503) },
      },
    },
    async (request, reply) => {
      await app.emailAddresses.verify(request.body.token, request.device)
      return reply.code(204).send(null)
    },
  )
}
