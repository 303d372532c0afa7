import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Healthy } from '../../src/schemas/health.ts'
import { problems } from '../../src/schemas/responses.ts'

export const ready: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/health/ready',
    {
      schema: {
        summary: 'Check that both stores respond, so that traffic may be sent here',
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
