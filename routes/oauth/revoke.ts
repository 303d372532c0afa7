import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Empty, TokenForm } from '../../src/schemas/oauth.ts'
import { problems } from '../../src/schemas/responses.ts'

export const revoke: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/oauth/revoke',
    {
      config: { oauth: true, rateLimit: { max: 300, timeWindow: '1 minute' } },
      schema: {
        summary: 'End the session of a token (RFC 7009)',
        description:
          'The token is an access or a refresh token, and no other credentials are needed. An ' +
          'unknown token gets the same response.',
        tags: ['oauth'],
        consumes: ['application/x-www-form-urlencoded'],
        body: TokenForm,
        response: { 200: Empty, ...problems(400, 413, 415, 429, 503) },
      },
    },
    async (request, reply) => {
      await app.sessions.endByToken(request.body.token, 'any')
      return reply.send()
    },
  )
}
