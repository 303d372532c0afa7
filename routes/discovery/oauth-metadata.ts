import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import { API_HEADERS } from '../../src/http/constant-headers.ts'
import { baseOf, metadataPath } from '../../src/http/metadata-location.ts'
import { ServerMetadata } from '../../src/schemas/oauth.ts'

const WELL_KNOWN = '/.well-known/oauth-authorization-server'

export interface MetadataOptions {
  issuer: string
  /** Whether the introspection endpoint is offered. */
  introspection: boolean
}

export const oauthMetadata: FastifyPluginAsyncTypebox<MetadataOptions> = async (app, options) => {
  const document = documentOf(options, app.prefix)
  app.get(
    WELL_KNOWN,
    {
      schema: {
        summary: 'Get the metadata of the server: its OAuth endpoints (RFC 8414)',
        description:
          'If the path of `ISSUER` is not `/`, they are also at this path followed by it.',
        tags: ['discovery'],
        response: { 200: ServerMetadata },
      },
    },
    async (_request, reply) => {
      allowCaching(reply)
      return document
    },
  )
  const path = metadataPath(options.issuer)
  if (path !== WELL_KNOWN) app.get(path, { schema: { hide: true } }, sendText(document))
}

/**
 * Adds the metadata where clients look for them, for an application that has mounted Pawl under the
 * prefix. The place is the application's, so nothing of Pawl's scope is used, and a route that the
 * application has there stays.
 */
export const metadataOutsidePrefix: FastifyPluginAsync<
  MetadataOptions & { pawlPrefix: string }
> = async (app, { pawlPrefix, ...options }) => {
  const url = metadataPath(options.issuer)
  if (app.hasRoute({ method: 'GET', url: app.prefix + url })) return
  const document = documentOf(options, app.prefix + pawlPrefix)
  // An application with helmet has decided about the headers for itself.
  const headers = app.hasReplyDecorator('helmet') ? {} : API_HEADERS
  const send = sendText(document)
  app.get(url, { schema: { hide: true } }, (request, reply) =>
    send(request, reply.headers(headers)),
  )
}

function documentOf({ issuer, introspection }: MetadataOptions, prefix: string): ServerMetadata {
  const base = baseOf(issuer, prefix)
  return {
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
}

/** Returns a handler that sends text, which the serializers of an application do not change. */
function sendText(document: ServerMetadata) {
  const text = JSON.stringify(document)
  return async (_request: unknown, reply: FastifyReply) => {
    allowCaching(reply)
    return reply.type('application/json; charset=utf-8').serializer(String).send(text)
  }
}

function allowCaching(reply: FastifyReply): void {
  reply.header('cache-control', 'public, max-age=3600')
}
