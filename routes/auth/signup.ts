import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Credentials } from '../../src/schemas/credentials.ts'
import { LoginHeaders } from '../../src/schemas/delivery.ts'
import { Accepted } from '../../src/schemas/recovery.ts'
import { problems } from '../../src/schemas/responses.ts'
import { DeliveredTokens } from '../../src/schemas/token-pair.ts'

export const signup: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/auth/signup',
    {
      config: { rateLimit: { max: 10, timeWindow: '1 minute' } },
      schema: {
        summary: 'Create an account and log in',
        description:
          'A repeated sign-up with the same password starts another session of that account. ' +
          'With another password it gets a 409 and counts as a wrong guess. If the tokens are ' +
          'delivered in the cookie, the session of the previous cookie ends. With ' +
          '`SIGNUP=verified` it is always a 202, and the account is ready when the link of the ' +
          'mail is used. If the address has an account already, the mail says so instead.',
        tags: ['auth'],
        headers: LoginHeaders,
        body: Credentials,
        response: {
          201: DeliveredTokens,
          202: Accepted,
          ...problems(400, 403, 409, 413, 415, 429, 503),
        },
      },
    },
    async (request, reply) => {
      if (app.signupByMail) {
        const { body, device } = request
        const mayMail = await app.guesses.allowsMail('signup', body.email)
        await app.signupByMail.signup({ ...body, mayMail }, device)
        return reply.code(202).send(undefined)
      }
      // Checked before the account is created, so that a node that cannot start a session creates
      // no account either.
      await app.tokens.ping()
      const { body, device } = request
      const account = await app.guesses.guard(request, reply, body.email, () =>
        app.accounts.signup(body, device),
      )
      const prepared = await app.sessions.prepare(account)
      await app.refreshCookie.endReplaced(request)
      const pair = await app.sessions.start(account, device, prepared)
      reply.code(201)
      return app.refreshCookie.deliver(request, reply, pair)
    },
  )
}
