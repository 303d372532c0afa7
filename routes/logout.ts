import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { PawlError } from '../src/errors.ts'
import { RefreshBody } from '../src/schemas/refresh.ts'
import { NoContent, problems } from '../src/schemas/responses.ts'
import { allowEmptyJson } from './empty-json.ts'

export const logout: FastifyPluginAsyncTypebox = async (app) => {
  allowEmptyJson(app)

  app.post(
    '/auth/logout',
    {
      config: { bearer: true, rateLimit: { max: 300, timeWindow: '1 minute' } },
      schema: {
        summary: 'End the session, at once',
        description:
          'By the refresh token in the body, or else by the bearer token, access or refresh. A token that is dead already will do.',
        tags: ['auth'],
        body: Type.Union([RefreshBody, Type.Null()]),
        response: { 204: NoContent, ...problems(400, 401, 413, 415, 429, 503) },
      },
    },
    async (request, reply) => {
      if (request.body) {
        await app.tokens.end(request.body.refreshToken, 'refresh')
      } else {
        const token = app.bearerToken(request)
        if (!token) throw new PawlError('AUTH_MISSING_TOKEN')
        await app.tokens.end(token, 'any')
      }
      return reply.code(204).send(null)
    },
  )
}
