import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { problems } from '../../src/schemas/responses.ts'
import { allowEmptyJson } from '../empty-json.ts'
import { administratorOf } from './administrator.ts'

const Accepted = Type.Null({
  description: 'In force everywhere, at the latest after REVOCATION_MAX_STALENESS',
})

export const revokeAll: FastifyPluginAsyncTypebox = async (app) => {
  allowEmptyJson(app)

  app.post(
    '/admin/revoke-all',
    {
      config: { bearer: true },
      preHandler: app.authorize({ roles: ['admin'], fresh: true }),
      schema: {
        summary: 'End every session of everybody, this one too',
        tags: ['admin'],
        body: Type.Union([Type.Object({}, { additionalProperties: false }), Type.Null()]),
        response: { 202: Accepted, ...problems(400, 401, 403, 413, 415, 503) },
      },
    },
    async (request, reply) => {
      await app.administration.revokeEverything(administratorOf(request))
      return reply.code(202).send(null)
    },
  )
}
