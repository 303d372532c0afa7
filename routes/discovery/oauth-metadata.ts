import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ServerMetadata } from '../../src/schemas/oauth.ts'

export interface MetadataOptions {
  issuer: string
  /** Whether the introspection endpoint is offered. */
  introspection: boolean
}

export const oauthMetadata: FastifyPluginAsyncTypebox<MetadataOptions> = async (
  app,
  { issuer, introspection },
) => {
  const base = issuer.replace(/\/$/, '') + app.prefix
  const document = {
    issuer,
    jwks_uri: `${base}/.well-known/jwks.json`,
    // Both lists are empty, and present. RFC 8414 requires the first. If the second were absent,
    // clients would assume a default that is not empty.
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
        summary: 'Get the metadata of the server: its OAuth endpoints (RFC 8414)',
        tags: ['discovery'],
        response: { 200: ServerMetadata },
      },
    },
    async (_request, reply) => {
      reply.header('cache-control', 'public, max-age=3600')
      return document
    },
  )
}
