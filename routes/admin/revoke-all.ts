import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { problems } from '../../src/schemas/responses.ts'

const Accepted = Type.Null({
  description: 'In force on every node after at most REVOCATION_MAX_STALENESS',
})

export const revokeAll: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/admin/revoke-all',
    {
      config: { allowEmptyJson: true },
      schema: {
        summary: "End every session of every user, the administrator's own included",
        tags: ['admin'],
        body: Type.Union([Type.Object({}, { additionalProperties: false }), Type.Null()]),
        response: { 202: Accepted, ...problems(400, 401, 403, 413, 415, 503) },
      },
    },
    async (request, reply) => {
      await app.administration.revokeAll(request.administrator)
      return reply.code(202).send(null)
    },
  )
}
