import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { PawlError } from '../../src/errors.ts'
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
          'The refresh token is taken from the body, or from the cookie if there is no body.',
        tags: ['auth'],
        headers: RefreshHeaders,
        body: RefreshBody,
        response: { 200: DeliveredTokens, ...problems(400, 401, 403, 413, 415, 429, 503) },
      },
    },
    async (request, reply) => {
      const token = request.body?.refreshToken ?? app.refreshCookie.read(request)
      if (!token) throw new PawlError('AUTH_MISSING_TOKEN')
      const retryKey = request.headers['idempotency-key']
      const pair = await app.tokens.refresh(token, retryKey, request.device)
      return app.refreshCookie.deliver(request, reply, pair, !request.body)
    },
  )
}
