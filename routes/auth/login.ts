import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Credentials } from '../../src/schemas/credentials.ts'
import { LoginHeaders } from '../../src/schemas/delivery.ts'
import { problems } from '../../src/schemas/responses.ts'
import { DeliveredTokens } from '../../src/schemas/token-pair.ts'

export const login: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/auth/login',
    {
      config: { rateLimit: { max: 20, timeWindow: '1 minute' }, limitsKnownClients: true },
      schema: {
        summary: 'Log in',
        description:
          'An unknown address, a wrong password and a disabled user get the same response. If ' +
          'the tokens are delivered in the cookie, the session of the previous cookie ends. The ' +
          'response proves to later logins that the device is known: by a cookie with the ' +
          'tokens, or else by the header `X-Known-Device`.',
        tags: ['auth'],
        headers: LoginHeaders,
        body: Credentials,
        response: { 200: DeliveredTokens, ...problems(400, 401, 403, 413, 415, 429, 503) },
      },
    },
    async (request, reply) => {
      const { body, device } = request
      const account = await app.guesses.guard(request, reply, body.email, () =>
        app.accounts.authenticate(body, device),
      )
      const prepared = await app.sessions.prepare(account)
      await app.refreshCookie.endReplaced(request)
      const pair = await app.sessions.start(account, device, prepared)
      if (!app.guesses.isKnown(request, body.email)) {
        const { sessionId } = prepared.identity
        app.noticeNewDevice({ userId: account.id, sessionId }, device)
      }
      return app.refreshCookie.deliver(request, reply, pair)
    },
  )
}
