import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ServerMetadata } from '../../src/schemas/oauth.ts'

export interface MetadataOptions {
  issuer: string
  /** Whether there is such an endpoint. */
  introspection: boolean
}

export const metadata: FastifyPluginAsyncTypebox<MetadataOptions> = async (
  app,
  { issuer, introspection },
) => {
  const base = issuer.replace(/\/$/, '') + app.prefix
  const answer = {
    issuer,
    jwks_uri: `${base}/.well-known/jwks.json`,
    // None, and said so: the one is required, and of the other, where it is left out, a client would assume some.
    response_types_supported: [],
    grant_types_supported: [],
    revocation_endpoint: `${base}/oauth/revoke`,
    revocation_endpoint_auth_methods_supported: ['none'],
    ...(introspection && {
      introspection_endpoint: `${base}/oauth/introspect`,
      introspection_endpoint_auth_methods_supported: ['client_secret_basic'],
    }),
  }

  app.get(
    '/.well-known/oauth-authorization-server',
    {
      schema: {
        summary: 'Where the endpoints are that OAuth defines (RFC 8414)',
        tags: ['discovery'],
        response: { 200: ServerMetadata },
      },
    },
    async (_request, reply) => {
      reply.header('cache-control', 'public, max-age=3600')
      return answer
    },
  )
}
