import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'

const Jwks = Type.Object(
  { keys: Type.Array(Type.Record(Type.String(), Type.String())) },
  { $id: 'Jwks' },
)
const NotModified = Type.Unsafe<undefined>({ type: 'null', description: 'As the given ETag says' })

export const jwks: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/.well-known/jwks.json',
    {
      schema: {
        summary: 'The public keys of access tokens (RFC 7517)',
        description: 'Those that sign, those that will, and those that have and still verify.',
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

/** RFC 9110 13.1.2: the comparison is the weak one. Our tags have no comma in them. */
function matches(given: string | undefined, etag: string): boolean {
  if (given === undefined) return false
  return given.split(',').some((tag) => ['*', etag, `W/${etag}`].includes(tag.trim()))
}
