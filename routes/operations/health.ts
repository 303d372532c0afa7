import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { problems } from '../../src/schemas/responses.ts'

const Healthy = Type.Object({ status: Type.Literal('ok') })

export const health: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/health/live',
    { schema: { summary: 'The process runs', tags: ['health'], response: { 200: Healthy } } },
    async () => ({ status: 'ok' as const }),
  )

  app.get(
    '/health/ready',
    {
      schema: {
        summary: 'Both stores answer: send traffic here',
        tags: ['health'],
        response: { 200: Healthy, ...problems(503) },
      },
    },
    async () => {
      await Promise.all([app.database.ping(), app.tokens.ping()])
      return { status: 'ok' as const }
    },
  )
}
