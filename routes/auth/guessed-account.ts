import type { FastifyInstance, FastifyRequest } from 'fastify'

/**
 * Returns a preHandler for routes where a signed-in user gives their password. It names the account
 * whose password is guessed, so that a wrong guess counts against it at the login and here.
 */
export function nameGuessedAccount(app: FastifyInstance) {
  return async (request: FastifyRequest): Promise<void> => {
    request.guessedEmail = await app.ownAccount.guessedName(request.requireAuth())
  }
}
