import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Credentials } from '../../src/schemas/credentials.ts'
import { DeliveryHeaders } from '../../src/schemas/delivery.ts'
import { problems } from '../../src/schemas/responses.ts'
import { DeliveredTokens } from '../../src/schemas/token-pair.ts'
import { deviceOf } from '../device.ts'

export const signup: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/auth/signup',
    {
      config: { rateLimit: { max: 10, timeWindow: '1 minute' } },
      schema: {
        summary: 'Create an account and log in',
        tags: ['auth'],
        headers: DeliveryHeaders,
        body: Credentials,
        response: { 201: DeliveredTokens, ...problems(400, 403, 409, 413, 415, 429, 503) },
      },
    },
    async (request, reply) => {
      // An account that is made before its session cannot be answers a retry with 409.
      await app.tokens.ping()
      const device = deviceOf(request)
      const account = await app.accounts.signup(request.body, device)
      reply.code(201)
      return app.refreshCookie.deliver(request, reply, await app.sessions.start(account, device))
    },
  )
}
