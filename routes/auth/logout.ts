import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { PawlError } from '../../src/errors.ts'
import { DeliveryHeaders } from '../../src/schemas/delivery.ts'
import { RefreshBody } from '../../src/schemas/refresh.ts'
import { NoContent, problems } from '../../src/schemas/responses.ts'

export const logout: FastifyPluginAsyncTypebox = async (app) => {
  const invalid = () => new PawlError('AUTH_INVALID_TOKEN', { reason: 'malformed or forged' })

  async function end(token: string, kind: 'refresh' | 'any'): Promise<void> {
    if (!(await app.sessions.endByToken(token, kind))) throw invalid()
  }

  app.post(
    '/auth/logout',
    {
      config: {
        caller: 'token-holder',
        allowEmptyJson: true,
        rateLimit: { max: 300, timeWindow: '1 minute' },
      },
      schema: {
        summary: 'End the session of a token',
        description:
          'The token is the refresh token in the body, else the bearer token (access or ' +
          'refresh), else the refresh token in the cookie. An expired token is accepted, and ' +
          'so is one of a session that has ended. If there are several cookies, the session of ' +
          'each one ends.',
        tags: ['auth'],
        headers: DeliveryHeaders,
        body: RefreshBody,
        response: { 204: NoContent, ...problems(400, 401, 403, 413, 415, 429, 503) },
      },
    },
    async (request, reply) => {
      const bearer = app.bearerToken(request)
      if (request.body) {
        await end(request.body.refreshToken, 'refresh')
      } else if (bearer) {
        await end(bearer, 'any')
      } else {
        const outcome = await app.refreshCookie.endSessions(request)
        if (outcome === 'missing') throw new PawlError('AUTH_MISSING_TOKEN')
        if (outcome === 'invalid') throw invalid()
        app.refreshCookie.clear(request, reply)
      }
      return reply.code(204).send(null)
    },
  )
}
