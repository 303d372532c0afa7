import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { LoginHeaders } from '../../src/schemas/delivery.ts'
import { Accepted, AddressChange } from '../../src/schemas/recovery.ts'
import { problems } from '../../src/schemas/responses.ts'

export const changeEmail: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/auth/email',
    {
      config: { rateLimit: { max: 5, timeWindow: '1 minute' } },
      schema: {
        summary: 'Change the e-mail address',
        description:
          'A mail goes to the new address. It is in force when the link in that mail is used, ' +
          'and then the old address gets a notice. `currentPassword` may be absent for five ' +
          'minutes after a login.',
        tags: ['auth'],
        headers: LoginHeaders,
        body: AddressChange,
        response: { 202: Accepted, ...problems(400, 401, 403, 413, 415, 429, 503) },
      },
    },
    async (request, reply) => {
      const { email, currentPassword } = request.body
      const auth = request.requireAuth()
      if (currentPassword === undefined) app.emailAddresses.requireRecentLogin(auth)
      else
        await app.guesses.guard(request, reply, await app.ownAccount.guessedName(auth), () =>
          app.ownAccount.provePassword(auth, currentPassword, request.device),
        )
      if (await app.guesses.allowsMail('change', email))
        await app.emailAddresses.requestChange(auth.userId, email)
      return reply.code(202).send(undefined)
    },
  )
}
