import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { PasswordChange } from '../../src/schemas/credentials.ts'
import { LoginHeaders } from '../../src/schemas/delivery.ts'
import { problems } from '../../src/schemas/responses.ts'
import { DeliveredTokens } from '../../src/schemas/token-pair.ts'

export const changePassword: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/auth/password',
    {
      config: {
        rateLimit: { max: 20, timeWindow: '1 minute', hook: 'preHandler' },
        limitsKnownClients: true,
      },
      schema: {
        summary: 'Change the password and log out everywhere else',
        description:
          'Every session of the user ends, this one too, and the response has the tokens of a ' +
          'new session. They are delivered in the cookie if the old session had one.',
        tags: ['auth'],
        headers: LoginHeaders,
        body: PasswordChange,
        response: { 200: DeliveredTokens, ...problems(400, 401, 403, 413, 415, 429, 503) },
      },
    },
    async (request, reply) => {
      const { body, device } = request
      // Checked before the change, so that a node that cannot start a session changes nothing.
      await app.tokens.ping()
      const auth = request.requireAuth()
      const prepared = await app.sessions.prepare(
        { id: auth.userId, roles: auth.roles },
        { claims: auth.sessionClaims },
      )
      const name = await app.ownAccount.guessedName(auth)
      const account = await app.guesses.guard(request, reply, name, () =>
        app.ownAccount.changePassword(auth, body, device),
      )
      await app.guesses.forget(name)
      const pair = await app.sessions.start(account, device, prepared)
      const byCookie = await app.refreshCookie.holds(request, auth.sessionId)
      return app.refreshCookie.deliver(request, reply, pair, byCookie)
    },
  )
}
