import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'

const Jwks = Type.Object({ keys: Type.Array(Type.Record(Type.String(), Type.String())) }, { $id: 'Jwks' })

export const jwks: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/.well-known/jwks.json',
    {
      schema: {
        summary: 'The public keys of access tokens (RFC 7517)',
        tags: ['discovery'],
        response: { 200: Jwks },
      },
    },
    async (_request, reply) => {
      reply.header('cache-control', 'public, max-age=300')
      return app.keySet as { keys: Record<string, string>[] }
    },
  )
}
