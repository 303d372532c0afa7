import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { PasswordProof } from '../../src/schemas/credentials.ts'
import { LoginHeaders } from '../../src/schemas/delivery.ts'
import { problems } from '../../src/schemas/responses.ts'
import { DeliveredTokens } from '../../src/schemas/token-pair.ts'

export const reauthenticate: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/auth/reauthenticate',
    {
      config: {
        rateLimit: { max: 20, timeWindow: '1 minute', hook: 'preHandler' },
        limitsKnownClients: true,
      },
      schema: {
        summary: 'Give the password again, for routes that demand a recent login',
        description:
          'The response has the tokens of a new session with a new `auth_time` and the `amr` ' +
          '`pwd`, and the session of the access token ends. They are delivered in the cookie if ' +
          'the old session had one.',
        tags: ['auth'],
        headers: LoginHeaders,
        body: PasswordProof,
        response: { 200: DeliveredTokens, ...problems(400, 401, 403, 413, 415, 429, 503) },
      },
    },
    async (request, reply) => {
      const { body, device } = request
      const auth = request.requireAuth()
      const name = await app.ownAccount.guessedName(auth)
      const account = await app.guesses.guard(request, reply, name, () =>
        app.ownAccount.provePassword(auth, body.password, device),
      )
      const prepared = await app.sessions.prepare(account, { claims: auth.sessionClaims })
      // The new session comes first, so that the user has one if this fails half-way.
      const pair = await app.sessions.start(account, device, prepared)
      const byCookie = await app.refreshCookie.holds(request, auth.sessionId)
      await app.sessions.end(auth.userId, auth.sessionId, 'reauthenticated')
      return app.refreshCookie.deliver(request, reply, pair, byCookie)
    },
  )
}
