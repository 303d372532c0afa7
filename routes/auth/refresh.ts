import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { PawlError } from '../../src/errors.ts'
import { RefreshBody, RefreshHeaders } from '../../src/schemas/refresh.ts'
import { problems } from '../../src/schemas/responses.ts'
import { DeliveredTokens } from '../../src/schemas/token-pair.ts'
import { deviceOf } from '../device.ts'
import { allowEmptyJson } from '../empty-json.ts'

export const refresh: FastifyPluginAsyncTypebox = async (app) => {
  allowEmptyJson(app)

  app.post(
    '/auth/refresh',
    {
      config: { rateLimit: { max: 300, timeWindow: '1 minute' } },
      schema: {
        summary:
          'Turn the session one notch: a new access token, and the successor of the refresh token',
        description: 'By the refresh token in the body, or else by that in the cookie.',
        tags: ['auth'],
        headers: RefreshHeaders,
        body: RefreshBody,
        response: { 200: DeliveredTokens, ...problems(400, 401, 403, 413, 415, 429, 503) },
      },
    },
    async (request, reply) => {
      const token = request.body?.refreshToken ?? app.refreshCookie.read(request)
      if (!token) throw new PawlError('AUTH_MISSING_TOKEN')
      const pair = await app.tokens.refresh(
        token,
        request.headers['idempotency-key'],
        deviceOf(request),
      )
      return app.refreshCookie.deliver(request, reply, pair, !request.body)
    },
  )
}
