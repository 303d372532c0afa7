import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Jwks, NotModified } from '../../src/schemas/jwks.ts'

export const jwks: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/.well-known/jwks.json',
    {
      schema: {
        summary: 'Get the public keys of access tokens (RFC 7517)',
        description:
          'Contains the key that signs, the key that will sign next, and earlier keys that ' +
          'still verify.',
        tags: ['discovery'],
        response: { 200: Jwks, 304: NotModified },
      },
    },
    async (request, reply) => {
      const { keys, etag, maxAge } = app.keySet()
      reply.header('cache-control', `public, max-age=${maxAge}`).header('etag', etag)
      if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send(undefined)
      return { keys }
    },
  )
}

/** RFC 9110 13.1.2: the comparison is weak. The tags made here contain no comma. */
function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  return ifNoneMatch.split(',').some((tag) => ['*', etag, `W/${etag}`].includes(tag.trim()))
}
