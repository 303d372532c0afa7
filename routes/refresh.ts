import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { IdempotencyHeaders, RefreshBody } from '../src/schemas/refresh.ts'
import { problems } from '../src/schemas/responses.ts'
import { TokenPair } from '../src/schemas/token-pair.ts'
import { deviceOf } from './device.ts'

export const refresh: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/auth/refresh',
    {
      config: { rateLimit: { max: 300, timeWindow: '1 minute' } },
      schema: {
        summary: 'Turn the session one notch: a new access token, and the successor of the refresh token',
        tags: ['auth'],
        headers: IdempotencyHeaders,
        body: RefreshBody,
        response: { 200: TokenPair, ...problems(400, 401, 413, 415, 429, 503) },
      },
    },
    async (request) =>
      app.tokens.refresh(request.body.refreshToken, request.headers['idempotency-key'], deviceOf(request)),
  )
}
