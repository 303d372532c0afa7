import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Introspection, TokenForm } from '../../src/schemas/oauth.ts'
import { problems } from '../../src/schemas/responses.ts'

/** No rate limit: a client calls this once for each request that it serves itself. */
export const introspect: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/oauth/introspect',
    {
      config: { oauth: true },
      schema: {
        summary: 'Find out whether a token is active, and what it says (RFC 7662)',
        description:
          'A refresh token is reported as active only with `token_type_hint=refresh_token`, ' +
          'so that no API takes it for an access token.',
        tags: ['oauth'],
        consumes: ['application/x-www-form-urlencoded'],
        body: TokenForm,
        response: { 200: Introspection, ...problems(400, 401, 413, 415, 503) },
      },
    },
    async ({ body: { token, token_type_hint: hint } }): Promise<Introspection> => {
      const refresh = hint === 'refresh_token' ? await app.tokens.inspectRefresh(token) : undefined
      if (refresh) {
        const { gen: _, ctx: __, ...claims } = refresh
        return { active: true, ...claims }
      }
      const access = await app.tokens.inspectAccess(token)
      if (!access) return { active: false }
      const { ver: _, ctx: __, constant, extra, roles, ...claims } = access
      const scope = roles.length > 0 ? { scope: roles.join(' ') } : {}
      return { active: true, token_type: 'Bearer', ...claims, roles, ...scope, ...extra }
    },
  )
}
