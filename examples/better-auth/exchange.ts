import type { FastifyPluginAsync } from 'fastify'
import { PawlError } from 'pawl'
import type { Auth } from './auth.ts'
import { headersOf } from './auth-routes.ts'

/** Registers the route that exchanges a session of better-auth for one of Pawl. */
export const exchange: FastifyPluginAsync<{ auth: Auth }> = async (app, { auth }) => {
  app.post('/api/session', async (request, reply) => {
    const headers = headersOf(request.headers)
    // Not from a cookie's cache: the session may have been ended.
    const found = await auth.api.getSession({ headers, query: { disableCookieCache: true } })
    if (!found) throw new PawlError('AUTH_MISSING_TOKEN', { detail: 'Sign in first.' })
    const { user, session } = found
    const tokens = await app.pawl.sessions.start(request, reply, {
      user: { id: user.id },
      // The only method that is on. If there are more, note the method when the session is created.
      amr: ['pwd'],
      authTime: Math.floor(session.createdAt.getTime() / 1000),
    })
    // It could be exchanged again, even after the session of Pawl was revoked.
    const ended = await auth.api.revokeSession({
      headers,
      body: { token: session.token },
      returnHeaders: true,
    })
    for (const cookie of ended.headers.getSetCookie()) reply.header('set-cookie', cookie)
    return tokens
  })
}
