import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Introspection, TokenForm } from '../../src/schemas/oauth.ts'
import { problems } from '../../src/schemas/responses.ts'

/** Without a rate limit: whoever gets past the credentials asks once for each request of his own clients. */
export const introspect: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/oauth/introspect',
    {
      config: { oauth: true, client: true },
      onRequest: app.authenticateClient,
      schema: {
        summary: 'What a token is worth right now (RFC 7662)',
        description:
          'A refresh token is active only for who asks with `token_type_hint=refresh_token`: no API may take it for an access token.',
        tags: ['oauth'],
        consumes: ['application/x-www-form-urlencoded'],
        body: TokenForm,
        response: { 200: Introspection, ...problems(400, 401, 413, 415, 503) },
      },
    },
    async ({ body: { token, token_type_hint: hint } }): Promise<Introspection> => {
      const refresh = hint === 'refresh_token' ? await app.tokens.inspectRefresh(token) : undefined
      if (refresh) {
        const { iss, aud, sub, sid, jti, iat, exp } = refresh
        return { active: true, iss, aud, sub, sid, jti, iat, exp }
      }
      const access = await app.tokens.inspectAccess(token)
      if (!access) return { active: false }
      const { ver: _, roles, ...claims } = access
      const scope = roles.length > 0 ? { scope: roles.join(' ') } : {}
      return { active: true, token_type: 'Bearer', ...claims, roles, ...scope }
    },
  )
}
