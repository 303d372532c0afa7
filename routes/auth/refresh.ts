import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { presentInOrder } from '../../src/http/token-choice.ts'
import { RefreshBody, RefreshHeaders } from '../../src/schemas/refresh.ts'
import { problems } from '../../src/schemas/responses.ts'
import { DeliveredTokens } from '../../src/schemas/token-pair.ts'

export const refresh: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/auth/refresh',
    {
      config: { allowEmptyJson: true, rateLimit: { max: 300, timeWindow: '1 minute' } },
      schema: {
        summary: 'Exchange the refresh token for its successor and a new access token',
        description:
          'The refresh token is taken from the body, or from the cookie if there is no body. If ' +
          'there are several cookies, the one with the newest token of a live session counts.',
        tags: ['auth'],
        headers: RefreshHeaders,
        body: RefreshBody,
        response: { 200: DeliveredTokens, ...problems(400, 401, 403, 413, 415, 429, 503) },
      },
    },
    async (request, reply) => {
      const { body, headers, device } = request
      const tokens = body ? [body.refreshToken] : await app.refreshCookie.read(request)
      const retryKey = headers['idempotency-key']
      const pair = await presentInOrder(tokens, (token) =>
        app.tokens.refresh(token, retryKey, device),
      )
      return app.refreshCookie.deliver(request, reply, pair, !body)
    },
  )
}
